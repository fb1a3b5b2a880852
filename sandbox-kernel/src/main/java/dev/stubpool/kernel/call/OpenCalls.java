package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.InterruptedCallException.Restart;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.fs.Location;
import dev.stubpool.kernel.fs.Opening;
import dev.stubpool.kernel.process.GuestProcess;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.sync.Sleeper;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** System calls that open files by path. */
final class OpenCalls {
  private static final int OPEN_HOW_SIZE = 24;
  private static final int LARGEST_OPEN_HOW = 4096;
  private static final int CREAT = OpenFlags.O_CREAT | OpenFlags.O_WRONLY | OpenFlags.O_TRUNC;

  /** The interval at which opening a leased file is retried. */
  private static final Duration TRIES_AGAIN_AFTER = Duration.ofMillis(20);

  private OpenCalls() {}

  /** Opens a program to be executed, execve(2). */
  static OpenFile openProgram(Task task, String path) {
    GuestProcess process = task.process();
    if (path.isEmpty()) {
      throw new ErrnoException(Errno.ENOENT);
    }
    return awaitLease(
        task,
        () -> {
          Location program =
              process.files().find(process.workingDirectory(), path, true, process.identity());
          return Opening.ofProgram(program, process.identity());
        });
  }

  /**
   * Waits while a host process has to release its lease on a file, fcntl(2), as open(2) does
   * without O_NONBLOCK. It polls, because the release causes no notification and a blocking open of
   * the host could not be interrupted.
   */
  private static OpenFile awaitLease(Task task, Supplier<OpenFile> open) {
    while (true) {
      try {
        return open.get();
      } catch (ErrnoException e) {
        if (e.errno() != Errno.EAGAIN) {
          throw e;
        }
      }
      Optional<Void> _ =
          task.await(
              List.of(),
              System.nanoTime() + TRIES_AGAIN_AFTER.toNanos(),
              Restart.AS_ACTION_SAYS,
              Optional::empty);
    }
  }

  /** open(2). */
  static long open(Task task, Arguments arguments) {
    return open(
        task, Arguments.AT_FDCWD, arguments.string(0), arguments.integer(1), arguments.integer(2));
  }

  /** openat(2). */
  static long openat(Task task, Arguments arguments) {
    return open(
        task,
        arguments.integer(0),
        arguments.string(1),
        arguments.integer(2),
        arguments.integer(3));
  }

  /** creat, open(2). */
  static long creat(Task task, Arguments arguments) {
    return open(task, Arguments.AT_FDCWD, arguments.string(0), CREAT, arguments.integer(1));
  }

  /** openat2(2), without its restrictions of path resolution. */
  static long openat2(Task task, Arguments arguments) {
    long size = arguments.word(3);
    if (size < OPEN_HOW_SIZE) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (size > LARGEST_OPEN_HOW) {
      throw new ErrnoException(Errno.E2BIG);
    }
    ByteBuffer how = task.memory().readStructure(arguments.word(2), (int) size);
    long flags = how.getLong();
    long mode = how.getLong();
    long resolve = how.getLong();
    while (how.hasRemaining()) {
      if (how.get() != 0) {
        throw new ErrnoException(Errno.E2BIG);
      }
    }
    boolean creates = Bits.any(flags, OpenFlags.O_CREAT | OpenFlags.TMPFILE_BIT);
    if (resolve != 0
        || flags != (int) flags
        || (mode & ~FileStatus.PERMISSIONS) != 0
        || (mode != 0 && !creates)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return open(task, arguments.integer(0), arguments.string(1), (int) flags, (int) mode);
  }

  private static long open(Task task, int directory, String path, int flags, int mode) {
    GuestProcess process = task.process();
    int permissions = mode & FileStatus.PERMISSIONS & ~process.umask();
    Opening opening = new Opening(flags, permissions, process.identity());
    Supplier<OpenFile> open =
        () -> opening.open(process.files(), Paths.start(task, directory, path), path);
    OpenFile file = Bits.any(flags, OpenFlags.O_NONBLOCK) ? open.get() : awaitLease(task, open);
    file.hold();
    try {
      awaitPeer(task, file);
      return process.descriptors().add(file, Bits.any(flags, OpenFlags.O_CLOEXEC));
    } finally {
      file.release();
    }
  }

  /** Waits until the other end of a FIFO is open, fifo(7). */
  private static void awaitPeer(Task task, OpenFile file) {
    if (!file.isConnected()) {
      Optional<OpenFile> _ =
          task.await(
              List.of(file.waiters()),
              Sleeper.NEVER,
              Restart.AS_ACTION_SAYS,
              () -> file.isConnected() ? Optional.of(file) : Optional.empty());
    }
  }
}
