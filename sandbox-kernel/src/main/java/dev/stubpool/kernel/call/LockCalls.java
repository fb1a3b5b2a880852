package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.InterruptedCallException.Restart;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.file.DescriptorTable;
import dev.stubpool.kernel.file.FileLocks;
import dev.stubpool.kernel.file.FileLocks.Lock;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.sync.Sleeper;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** System calls on advisory locks: flock(2), and the commands of fcntl(2). */
final class LockCalls {
  private static final int LOCK_SH = 1;
  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;
  private static final int LOCK_UN = 8;

  private static final short F_RDLCK = 0;
  private static final short F_WRLCK = 1;
  private static final short F_UNLCK = 2;
  private static final int SEEK_SET = 0;
  private static final int SEEK_CUR = 1;
  private static final int SEEK_END = 2;

  /** Bytes of a {@code struct flock}: type, whence, a gap, start, length, pid, a gap. */
  private static final int FLOCK_SIZE = 32;

  private static final int START_AT = 8;

  /** The pid in the answer of F_OFD_GETLK. */
  private static final int NOBODY = -1;

  private LockCalls() {}

  /** flock(2). */
  static long flock(Task task, Arguments arguments) {
    OpenFile file = Descriptors.opened(task, arguments.integer(0));
    int operation = arguments.integer(1);
    FileLocks locks = task.table().files().wholeLocks();
    boolean isExclusive =
        switch (operation & ~LOCK_NB) {
          case LOCK_SH, LOCK_UN -> false;
          case LOCK_EX -> true;
          default -> throw new ErrnoException(Errno.EINVAL);
        };
    locks.unlock(file.id(), file, 0, Long.MAX_VALUE); // also before waiting for another kind
    if (!Bits.any(operation, LOCK_UN)) {
      Lock lock = new Lock(file, task.process().pid(), 0, Long.MAX_VALUE, isExclusive);
      await(task, file, locks, !Bits.any(operation, LOCK_NB), () -> locks.lock(file, lock));
    }
    return 0;
  }

  private static void await(
      Task task, OpenFile file, FileLocks locks, boolean waits, Runnable attempt) {
    file.hold(); // else the lock would outlive the file if that is closed meanwhile
    try {
      Optional<Boolean> _ =
          task.await(
              List.of(locks.released()),
              Sleeper.NEVER,
              Restart.AS_ACTION_SAYS,
              () -> {
                try {
                  attempt.run();
                  return Optional.of(true);
                } catch (ErrnoException e) {
                  if (e.errno() != Errno.EAGAIN || !waits) {
                    throw e;
                  }
                  return Optional.empty();
                }
              });
    } finally {
      file.release();
    }
  }

  /** A {@code struct flock}. */
  private record Flock(short type, short whence, long start, long length, int pid) {
    static Flock read(Task task, long address) {
      ByteBuffer flock = task.memory().readStructure(address, FLOCK_SIZE);
      short type = flock.getShort();
      short whence = flock.getShort();
      flock.position(START_AT);
      return new Flock(type, whence, flock.getLong(), flock.getLong(), flock.getInt());
    }

    void write(Task task, long address) {
      ByteBuffer flock = Struct.allocate(FLOCK_SIZE).putShort(type).putShort(whence);
      flock.position(START_AT).putLong(start).putLong(length).putInt(pid);
      task.memory().write(address, Struct.bytes(flock));
    }

    /** The requested lock. */
    Lock lock(OpenFile file, Object owner, int ownerPid) {
      long base =
          switch (whence) {
            case SEEK_SET -> 0;
            case SEEK_CUR -> file.isSeekable() ? file.position() : 0;
            case SEEK_END -> file.status().size();
            default -> throw new ErrnoException(Errno.EINVAL);
          };
      try {
        long from = Math.addExact(base, start);
        long first = length < 0 ? Math.addExact(from, length) : from;
        long last =
            length == 0 ? Long.MAX_VALUE : length < 0 ? from - 1 : Math.addExact(from, length - 1);
        if (first < 0) {
          throw new ErrnoException(Errno.EINVAL);
        }
        return new Lock(owner, ownerPid, first, last, type == F_WRLCK);
      } catch (ArithmeticException _) {
        throw new ErrnoException(Errno.EOVERFLOW);
      }
    }
  }

  private static Lock lock(Task task, OpenFile file, Flock flock, boolean isOfFile) {
    if (flock.type() < F_RDLCK || flock.type() > F_UNLCK || (isOfFile && flock.pid() != 0)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return isOfFile
        ? flock.lock(file, file, NOBODY)
        : flock.lock(file, task.process().descriptors(), task.process().pid());
  }

  /**
   * F_GETLK, fcntl(2).
   *
   * @param isOfFile whether the lock belongs to the open file, not to the process
   */
  static long getlk(Task task, OpenFile file, Arguments arguments, boolean isOfFile) {
    Flock asked = Flock.read(task, arguments.word(2));
    if (asked.type() == F_UNLCK) {
      throw new ErrnoException(Errno.EINVAL);
    }
    Lock wanted = lock(task, file, asked, isOfFile);
    task.table()
        .files()
        .locks()
        .conflict(file.id(), wanted)
        .map(LockCalls::told)
        .orElseGet(
            () -> new Flock(F_UNLCK, asked.whence(), asked.start(), asked.length(), asked.pid()))
        .write(task, arguments.word(2));
    return 0;
  }

  private static Flock told(Lock lock) {
    long length = lock.last() == Long.MAX_VALUE ? 0 : lock.last() - lock.first() + 1;
    short type = lock.isExclusive() ? F_WRLCK : F_RDLCK;
    return new Flock(type, (short) SEEK_SET, lock.first(), length, lock.pid());
  }

  /**
   * F_SETLK and F_SETLKW, fcntl(2).
   *
   * @param isOfFile whether the lock belongs to the open file, not to the process
   */
  static long setlk(
      Task task, OpenFile file, Arguments arguments, boolean isOfFile, boolean waits) {
    Flock asked = Flock.read(task, arguments.word(2));
    Lock lock = lock(task, file, asked, isOfFile);
    FileLocks locks = task.table().files().locks();
    if (asked.type() == F_UNLCK) {
      locks.unlock(file.id(), lock.owner(), lock.first(), lock.last());
      return 0;
    }
    boolean may =
        lock.isExclusive() ? OpenFlags.writes(file.flags()) : OpenFlags.reads(file.flags());
    if (!may) {
      throw new ErrnoException(Errno.EBADF);
    }
    DescriptorTable descriptors = task.process().descriptors();
    await(
        task,
        file,
        locks,
        waits,
        () -> {
          if (isOfFile) {
            locks.lock(file, lock);
          } else {
            locks.lock(descriptors, file, lock);
          }
        });
    if (!isOfFile && descriptors.find(arguments.integer(0)).filter(file::equals).isEmpty()) {
      locks.unlock(file.id(), lock.owner(), lock.first(), lock.last()); // closed meanwhile
      throw new ErrnoException(Errno.EBADF);
    }
    return 0;
  }
}
