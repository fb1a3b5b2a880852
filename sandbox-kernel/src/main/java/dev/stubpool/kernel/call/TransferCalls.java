package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.InterruptedCallException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.process.Task;
import java.nio.ByteBuffer;

/** System calls that copy data from one file to another. */
final class TransferCalls {
  private TransferCalls() {}

  /** sendfile(2). */
  static long sendfile(Task task, Arguments arguments) {
    OpenFile out = Descriptors.opened(task, arguments.integer(0));
    OpenFile in = Descriptors.opened(task, arguments.integer(1));
    DataCalls.checkWrites(out);
    DataCalls.checkReads(in);
    if (Bits.any(out.flags(), OpenFlags.O_APPEND) || in.isPollable() || arguments.word(3) < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    FilePlace from = place(task, in, arguments.word(2));
    from.checkRange(arguments.word(3));
    long done = move(task, from, FilePlace.own(out), arguments.word(3));
    tell(task, arguments.word(2), from);
    return done;
  }

  /** copy_file_range(2). */
  static long copyFileRange(Task task, Arguments arguments) {
    OpenFile in = Descriptors.opened(task, arguments.integer(0));
    OpenFile out = Descriptors.opened(task, arguments.integer(2));
    DataCalls.checkReads(in);
    DataCalls.checkWrites(out);
    checkRegular(in);
    checkRegular(out);
    if (Bits.any(out.flags(), OpenFlags.O_APPEND)) {
      throw new ErrnoException(Errno.EBADF);
    }
    if (arguments.integer(5) != 0 || in.id().equals(out.id())) {
      throw new ErrnoException(Errno.EINVAL);
    }
    FilePlace from = place(task, in, arguments.word(1));
    FilePlace to = place(task, out, arguments.word(3));
    long done = move(task, from, to, arguments.word(4) & Long.MAX_VALUE);
    tell(task, arguments.word(1), from);
    tell(task, arguments.word(3), to);
    return done;
  }

  private static void checkRegular(OpenFile file) {
    switch (file.status().type()) {
      case FileStatus.S_IFREG -> {}
      case FileStatus.S_IFDIR -> throw new ErrnoException(Errno.EISDIR);
      default -> throw new ErrnoException(Errno.EINVAL);
    }
  }

  /** A file's own position, or the one at an address if that is not null. */
  private static FilePlace place(Task task, OpenFile file, long address) {
    if (address == 0) {
      return FilePlace.own(file);
    }
    long position = task.memory().readLong(address);
    if (position < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return FilePlace.at(file, position);
  }

  private static void tell(Task task, long address, FilePlace place) {
    if (address != 0) {
      task.memory().writeLong(address, place.position());
    }
  }

  private static long move(Task task, FilePlace from, FilePlace to, long size) {
    long most = Math.min(size, UserVectors.MOST);
    long done = 0;
    from.file().hold();
    to.file().hold();
    try {
      while (done < most && DataCalls.mayGoOn(task, done)) {
        long left = most - done;
        int read =
            (int)
                task.await(from.file(), () -> from.read(task.transfer(left), task.table().lock()));
        if (read == 0) {
          break;
        }
        done += put(task, from, to, task.transfer(read));
      }
      return done;
    } catch (ErrnoException | InterruptedCallException e) {
      if (done == 0) {
        throw e;
      }
      return done;
    } finally {
      from.file().release();
      to.file().release();
    }
  }

  /**
   * Writes a buffer and returns the number of bytes written; the others are returned to the source.
   */
  private static int put(Task task, FilePlace from, FilePlace to, ByteBuffer buffer) {
    int size = buffer.remaining();
    try {
      boolean more = true;
      while (more) {
        more = DataCalls.put(task, to, buffer) > 0 && buffer.hasRemaining();
      }
      return size - buffer.remaining();
    } catch (ErrnoException | InterruptedCallException e) {
      int left = buffer.remaining();
      from.unread(buffer);
      if (left == size) {
        throw e;
      }
      return size - left;
    }
  }
}
