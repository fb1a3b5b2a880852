package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.InterruptedCallException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.process.GuestProcess;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.signal.SignalInfo;
import java.nio.ByteBuffer;

/**
 * System calls that read and write. They move data in pieces through the task's buffer. If an error
 * or a signal comes after some data was moved, the result is the amount moved.
 */
final class DataCalls {
  /** The number of bytes after which the kernel's lock is yielded to other tasks. */
  private static final long UNINTERRUPTED = 4 << 20;

  private static final int PIPE_PAGE = 4096;

  /** Flags of preadv2(2) that are accepted and ignored: RWF_HIPRI, RWF_DSYNC, RWF_SYNC. */
  private static final int HINTS = 7;

  private DataCalls() {}

  // ---- reading ----

  /** read(2). */
  static long read(Task task, Arguments arguments) {
    OpenFile file = readable(task, arguments);
    return read(
        task, FilePlace.own(file), UserVectors.of(task, arguments.word(1), arguments.word(2)));
  }

  /** readv(2). */
  static long readv(Task task, Arguments arguments) {
    OpenFile file = readable(task, arguments);
    return read(
        task, FilePlace.own(file), UserVectors.read(task, arguments.word(1), arguments.integer(2)));
  }

  /** pread(2). */
  static long pread(Task task, Arguments arguments) {
    long position = position(arguments.word(3));
    OpenFile file = readable(task, arguments);
    return read(
        task,
        FilePlace.at(file, position),
        UserVectors.of(task, arguments.word(1), arguments.word(2)));
  }

  /** preadv, readv(2). */
  static long preadv(Task task, Arguments arguments) {
    long position = position(arguments.word(3));
    OpenFile file = readable(task, arguments);
    return read(
        task,
        FilePlace.at(file, position),
        UserVectors.read(task, arguments.word(1), arguments.integer(2)));
  }

  /** preadv2, readv(2). */
  static long preadv2(Task task, Arguments arguments) {
    checkHow(arguments);
    return arguments.word(3) == -1 ? readv(task, arguments) : preadv(task, arguments);
  }

  private static OpenFile readable(Task task, Arguments arguments) {
    OpenFile file = Descriptors.opened(task, arguments.integer(0));
    checkReads(file);
    return file;
  }

  static void checkReads(OpenFile file) {
    if (!OpenFlags.reads(file.flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
  }

  private static long read(Task task, FilePlace from, UserVectors to) {
    from.checkRange(to.left());
    OpenFile file = from.file();
    long done = 0;
    file.hold();
    try {
      boolean more;
      do {
        int wanted = task.transfer(to.left()).remaining();
        long read = task.await(file, () -> fetch(task, from, to));
        done += read;
        more = read == wanted && to.left() > 0 && !file.isPollable() && mayGoOn(task, done);
      } while (more);
      return done;
    } catch (ErrnoException e) {
      if (done == 0) {
        throw e;
      }
      return done;
    } finally {
      file.release();
    }
  }

  /** Reads one piece; bytes that cannot be copied to the program remain in the file. */
  private static int fetch(Task task, FilePlace from, UserVectors to) {
    ByteBuffer buffer = task.transfer(to.left());
    int read = from.read(buffer, task.table().lock());
    buffer.flip();
    to.scatter(buffer);
    int left = buffer.remaining();
    if (left > 0) {
      from.unread(buffer);
      if (left == read) {
        throw new ErrnoException(Errno.EFAULT);
      }
    }
    return read - left;
  }

  // ---- writing ----

  /** write(2). */
  static long write(Task task, Arguments arguments) {
    OpenFile file = writable(task, arguments);
    return write(
        task, FilePlace.own(file), UserVectors.of(task, arguments.word(1), arguments.word(2)));
  }

  /** writev, readv(2). */
  static long writev(Task task, Arguments arguments) {
    OpenFile file = writable(task, arguments);
    return write(
        task, FilePlace.own(file), UserVectors.read(task, arguments.word(1), arguments.integer(2)));
  }

  /** pwrite, pread(2). */
  static long pwrite(Task task, Arguments arguments) {
    long position = position(arguments.word(3));
    OpenFile file = writable(task, arguments);
    return write(
        task,
        FilePlace.at(file, position),
        UserVectors.of(task, arguments.word(1), arguments.word(2)));
  }

  /** pwritev, readv(2). */
  static long pwritev(Task task, Arguments arguments) {
    long position = position(arguments.word(3));
    OpenFile file = writable(task, arguments);
    return write(
        task,
        FilePlace.at(file, position),
        UserVectors.read(task, arguments.word(1), arguments.integer(2)));
  }

  /** pwritev2, readv(2). */
  static long pwritev2(Task task, Arguments arguments) {
    checkHow(arguments);
    return arguments.word(3) == -1 ? writev(task, arguments) : pwritev(task, arguments);
  }

  private static OpenFile writable(Task task, Arguments arguments) {
    OpenFile file = Descriptors.opened(task, arguments.integer(0));
    checkWrites(file);
    return file;
  }

  static void checkWrites(OpenFile file) {
    if (!OpenFlags.writes(file.flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
  }

  private static long write(Task task, FilePlace to, UserVectors from) {
    to.checkRange(from.left());
    OpenFile file = to.file();
    long done = 0;
    file.hold();
    try {
      do {
        ByteBuffer buffer = from.gather(task.transfer(from.left()));
        if (from.isFaulted()) {
          limitToCopied(file, buffer);
        }
        int taken;
        do {
          taken = put(task, to, buffer);
          done += taken;
        } while (buffer.hasRemaining() && taken > 0);
        if (taken == 0) {
          break;
        }
      } while (from.left() > 0 && !from.isFaulted() && mayGoOn(task, done));
      return done;
    } catch (ErrnoException | InterruptedCallException e) {
      if (done == 0) {
        throw e;
      }
      return done;
    } finally {
      file.release();
    }
  }

  /** Limits a write of which only a part could be copied; a pipe takes whole pages of it. */
  private static void limitToCopied(OpenFile file, ByteBuffer copied) {
    if (file.isPollable()) {
      copied.limit(copied.limit() / PIPE_PAGE * PIPE_PAGE);
    }
    if (!copied.hasRemaining()) {
      throw new ErrnoException(Errno.EFAULT);
    }
  }

  /**
   * Writes a buffer to a file, waiting until it accepts some or all of it.
   *
   * @return the number of bytes written
   */
  static int put(Task task, FilePlace to, ByteBuffer buffer) {
    try {
      return (int) task.await(to.file(), () -> to.write(buffer));
    } catch (InterruptedCallException e) {
      return abandon(to, buffer, e);
    } catch (ErrnoException e) {
      if (e.errno() == Errno.EAGAIN) { // O_NONBLOCK may have been set while it waited
        return abandon(to, buffer, e);
      }
      if (e.errno() == Errno.EPIPE) {
        GuestProcess process = task.process();
        task.send(
            SignalInfo.ofProcess(
                Signal.SIGPIPE, SignalInfo.SI_USER, process.pid(), process.identity().uid()));
      }
      throw e;
    }
  }

  /** Stops waiting; throws unless some bytes will still be written. */
  private static int abandon(FilePlace to, ByteBuffer buffer, RuntimeException why) {
    int underWay = to.file().abandonWrite(buffer);
    if (underWay == 0) {
      throw why;
    }
    buffer.position(buffer.position() + underWay);
    return underWay;
  }

  // ---- both ----

  /** Yields the lock after {@link #UNINTERRUPTED} bytes; returns false if the task must stop. */
  static boolean mayGoOn(Task task, long done) {
    if (done % UNINTERRUPTED == 0) {
      task.table().lock().pause();
    }
    return !task.isLeaving();
  }

  private static long position(long position) {
    if (position < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return position;
  }

  private static void checkHow(Arguments arguments) {
    if ((arguments.integer(5) & ~HINTS) != 0) {
      throw new ErrnoException(Errno.EOPNOTSUPP);
    }
  }
}
