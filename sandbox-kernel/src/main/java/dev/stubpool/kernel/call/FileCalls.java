package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.file.DescriptorTable;
import dev.stubpool.kernel.file.OpenDirectory;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.task.Task;
import java.nio.ByteBuffer;

/** Calls on descriptors. */
final class FileCalls {
  /** As much as one call moves, read(2). */
  private static final long MOST = 0x7fff_f000;

  private static final int IOVEC_SIZE = 16;
  private static final int IOV_MAX = 1024;
  private static final int SEEK_SET = 0;
  private static final int SEEK_CUR = 1;
  private static final int SEEK_END = 2;
  private static final int F_DUPFD = 0;
  private static final int F_GETFD = 1;
  private static final int F_SETFD = 2;
  private static final int F_GETFL = 3;
  private static final int F_SETFL = 4;
  private static final int F_DUPFD_CLOEXEC = 1030;
  private static final int FD_CLOEXEC = 1;
  private static final int CHANGEABLE = OpenFlags.O_APPEND | OpenFlags.O_NONBLOCK;
  private static final int TCGETS = 0x5401;

  /** Bytes of the kernel's {@code struct termios}: flags of four kinds, line, 19 characters. */
  private static final int TERMIOS_SIZE = 36;

  private static final int LARGEST_DIRECTORY_READ = 1 << 16;

  private FileCalls() {}

  private static OpenFile file(Task task, Arguments arguments) {
    return task.process().descriptors().get(arguments.integer(0));
  }

  // ---- data ----

  /** read(2). */
  static long read(Task task, Arguments arguments) {
    return read(task, file(task, arguments), arguments.word(1), arguments.word(2));
  }

  private static long read(Task task, OpenFile file, long address, long size) {
    checkSize(size);
    long most = Math.min(size, MOST);
    long done = 0;
    boolean more;
    do {
      ByteBuffer buffer = task.transfer(most - done);
      int wanted = buffer.remaining();
      int read = file.read(buffer);
      if (!store(task, address + done, buffer, done)) {
        return done;
      }
      done += read;
      more = read == wanted && file.isSeekable();
    } while (more && done < most);
    return done;
  }

  /** Copies what was read to the guest; false if it cannot be, but some was before. */
  private static boolean store(Task task, long address, ByteBuffer read, long before) {
    try {
      task.memory().write(address, read.flip());
      return true;
    } catch (ErrnoException e) {
      if (before == 0) {
        throw e;
      }
      return false;
    }
  }

  /** pread(2). */
  static long pread(Task task, Arguments arguments) {
    OpenFile file = file(task, arguments);
    checkSize(arguments.word(2));
    long most = Math.min(arguments.word(2), MOST);
    long position = arguments.word(3);
    if (position < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    long done = 0;
    while (true) {
      ByteBuffer buffer = task.transfer(most - done);
      int wanted = buffer.remaining();
      int read = file.read(buffer, position + done);
      if (!store(task, arguments.word(1) + done, buffer, done)) {
        return done;
      }
      done += read;
      if (read < wanted || done == most) {
        return done;
      }
    }
  }

  /** readv(2). */
  static long readv(Task task, Arguments arguments) {
    OpenFile file = file(task, arguments);
    long done = 0;
    for (Vector vector : vectors(task, arguments)) {
      long read = vector.size() == 0 ? 0 : read(task, file, vector.address(), vector.size());
      done += read;
      if (read < vector.size() || !file.isSeekable()) {
        break; // what comes next may not be there yet
      }
    }
    return done;
  }

  /** write(2). */
  static long write(Task task, Arguments arguments) {
    OpenFile file = file(task, arguments);
    checkSize(arguments.word(2));
    return write(task, file, new Vector(arguments.word(1), Math.min(arguments.word(2), MOST)));
  }

  /** writev(2): as few writes as can be. */
  static long writev(Task task, Arguments arguments) {
    return write(task, file(task, arguments), vectors(task, arguments));
  }

  private static long write(Task task, OpenFile file, Vector... vectors) {
    if (!OpenFlags.writes(file.flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    long done = 0;
    int current = 0;
    long offset = 0;
    try {
      do {
        ByteBuffer buffer = task.transfer(MOST);
        while (current < vectors.length && buffer.hasRemaining()) {
          Vector vector = vectors[current];
          int part = (int) Math.min(buffer.remaining(), vector.size() - offset);
          task.memory().read(vector.address() + offset, buffer.slice(buffer.position(), part));
          buffer.position(buffer.position() + part);
          offset += part;
          if (offset == vector.size()) {
            current++;
            offset = 0;
          }
        }
        buffer.flip();
        int size = buffer.remaining();
        int written = file.write(buffer);
        done += written;
        if (written < size) {
          return done;
        }
      } while (current < vectors.length);
      return done;
    } catch (ErrnoException e) {
      if (e.errno() == Errno.EPIPE) {
        task.process().signals().send(Signal.SIGPIPE);
      }
      if (done == 0) {
        throw e;
      }
      return done;
    }
  }

  private static void checkSize(long size) {
    if (size < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
  }

  /** A {@code struct iovec}. */
  private record Vector(long address, long size) {}

  private static Vector[] vectors(Task task, Arguments arguments) {
    int count = arguments.integer(2);
    if (count < 0 || count > IOV_MAX) {
      throw new ErrnoException(Errno.EINVAL);
    }
    ByteBuffer words = task.memory().readStructure(arguments.word(1), count * IOVEC_SIZE);
    Vector[] vectors = new Vector[count];
    long total = 0;
    for (int i = 0; i < count; i++) {
      vectors[i] = new Vector(words.getLong(), words.getLong());
      checkSize(vectors[i].size());
      total += vectors[i].size();
      checkSize(total);
    }
    return vectors;
  }

  /** lseek(2). */
  static long lseek(Task task, Arguments arguments) {
    OpenFile file = file(task, arguments);
    long offset = arguments.word(1);
    long from = file.position();
    long to =
        switch (arguments.integer(2)) {
          case SEEK_SET -> offset;
          case SEEK_CUR -> from + offset;
          case SEEK_END -> file.status().size() + offset;
          default -> throw new ErrnoException(Errno.EINVAL);
        };
    if (to < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    file.position(to);
    return file.position();
  }

  /** getdents64(2). */
  static long getdents(Task task, Arguments arguments) {
    if (!(file(task, arguments) instanceof OpenDirectory directory)) {
      throw new ErrnoException(Errno.ENOTDIR);
    }
    int size = (int) Math.min(arguments.integer(2) & 0xffff_ffffL, LARGEST_DIRECTORY_READ);
    byte[] entries = directory.entries(size);
    task.memory().write(arguments.word(1), entries);
    return entries.length;
  }

  // ---- descriptors ----

  /** close(2). */
  static long close(Task task, Arguments arguments) {
    task.process().descriptors().close(arguments.integer(0));
    return 0;
  }

  /** dup(2). */
  static long dup(Task task, Arguments arguments) {
    return task.process().descriptors().add(file(task, arguments), false);
  }

  /** dup2(2). */
  static long dup2(Task task, Arguments arguments) {
    OpenFile _ = file(task, arguments);
    return arguments.integer(0) == arguments.integer(1)
        ? arguments.integer(1)
        : duplicate(task, arguments, 0);
  }

  /** dup3(2). */
  static long dup3(Task task, Arguments arguments) {
    int flags = arguments.integer(2);
    if (arguments.integer(0) == arguments.integer(1) || (flags & ~OpenFlags.O_CLOEXEC) != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return duplicate(task, arguments, flags);
  }

  private static long duplicate(Task task, Arguments arguments, int flags) {
    OpenFile file = file(task, arguments);
    int to = arguments.integer(1);
    if (to < 0 || to >= DescriptorTable.LIMIT) {
      throw new ErrnoException(Errno.EBADF);
    }
    task.process().descriptors().put(to, file, Bits.any(flags, OpenFlags.O_CLOEXEC));
    return to;
  }

  /** fcntl(2). */
  static long fcntl(Task task, Arguments arguments) {
    DescriptorTable descriptors = task.process().descriptors();
    OpenFile file = file(task, arguments);
    int number = arguments.integer(0);
    int value = arguments.integer(2);
    return switch (arguments.integer(1)) {
      case F_DUPFD, F_DUPFD_CLOEXEC -> {
        if (value < 0 || value >= DescriptorTable.LIMIT) {
          throw new ErrnoException(Errno.EINVAL);
        }
        yield descriptors.add(file, arguments.integer(1) == F_DUPFD_CLOEXEC, value);
      }
      case F_GETFD -> descriptors.isCloseOnExec(number) ? FD_CLOEXEC : 0;
      case F_SETFD -> {
        descriptors.closeOnExec(number, Bits.any(value, FD_CLOEXEC));
        yield 0;
      }
      case F_GETFL -> file.flags();
      case F_SETFL -> {
        file.flags((file.flags() & ~CHANGEABLE) | (value & CHANGEABLE));
        yield 0;
      }
      default -> throw new ErrnoException(Errno.EINVAL);
    };
  }

  /** ioctl(2): of a terminal only that it is one. */
  static long ioctl(Task task, Arguments arguments) {
    if (arguments.integer(1) != TCGETS || !file(task, arguments).isTerminal()) {
      throw new ErrnoException(Errno.ENOTTY);
    }
    ByteBuffer termios = Struct.allocate(TERMIOS_SIZE);
    termios.putInt(0x500).putInt(0x5).putInt(0xbf).putInt(0x8a3b); // as stty(1) calls sane
    task.memory().write(arguments.word(2), Struct.bytes(termios));
    return 0;
  }
}
