package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.file.DescriptorTable;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.PipeEnd;
import dev.stubpool.kernel.process.Task;

/** System calls on descriptors. */
final class DescriptorCalls {
  private static final int F_DUPFD = 0;
  private static final int F_GETFD = 1;
  private static final int F_SETFD = 2;
  private static final int F_GETFL = 3;
  private static final int F_SETFL = 4;
  private static final int F_GETLK = 5;
  private static final int F_SETLK = 6;
  private static final int F_SETLKW = 7;
  private static final int F_SETOWN = 8;
  private static final int F_GETOWN = 9;
  private static final int F_OFD_GETLK = 36;
  private static final int F_OFD_SETLK = 37;
  private static final int F_OFD_SETLKW = 38;
  private static final int F_DUPFD_CLOEXEC = 1030;
  private static final int F_SETPIPE_SZ = 1031;
  private static final int F_GETPIPE_SZ = 1032;
  private static final int FD_CLOEXEC = 1;
  private static final int CHANGEABLE = OpenFlags.O_APPEND | OpenFlags.O_NONBLOCK;
  private static final int CLOSE_RANGE_UNSHARE = 2;
  private static final int CLOSE_RANGE_CLOEXEC = 4;

  private DescriptorCalls() {}

  /** close(2). */
  static long close(Task task, Arguments arguments) {
    task.process().descriptors().close(arguments.integer(0));
    return 0;
  }

  /** close_range(2). */
  static long closeRange(Task task, Arguments arguments) {
    long first = arguments.integer(0) & 0xffff_ffffL;
    long last = arguments.integer(1) & 0xffff_ffffL;
    int flags = arguments.integer(2);
    if (first > last || (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    DescriptorTable descriptors = task.process().descriptors();
    for (int number : descriptors.numbers()) {
      if (number >= first && number <= last) {
        if (Bits.any(flags, CLOSE_RANGE_CLOEXEC)) {
          descriptors.closeOnExec(number, true);
        } else {
          descriptors.close(number);
        }
      }
    }
    return 0;
  }

  /** dup(2). */
  static long dup(Task task, Arguments arguments) {
    OpenFile file = Descriptors.any(task, arguments.integer(0));
    return task.process().descriptors().add(file, false);
  }

  /** dup2, dup(2). */
  static long dup2(Task task, Arguments arguments) {
    OpenFile _ = Descriptors.any(task, arguments.integer(0));
    return arguments.integer(0) == arguments.integer(1)
        ? arguments.integer(1)
        : duplicate(task, arguments, false);
  }

  /** dup3, dup(2). */
  static long dup3(Task task, Arguments arguments) {
    int flags = arguments.integer(2);
    if (arguments.integer(0) == arguments.integer(1) || (flags & ~OpenFlags.O_CLOEXEC) != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return duplicate(task, arguments, Bits.any(flags, OpenFlags.O_CLOEXEC));
  }

  private static long duplicate(Task task, Arguments arguments, boolean closeOnExec) {
    DescriptorTable descriptors = task.process().descriptors();
    OpenFile file = descriptors.get(arguments.integer(0));
    int to = arguments.integer(1);
    if (to < 0 || to >= descriptors.limit()) {
      throw new ErrnoException(Errno.EBADF);
    }
    descriptors.put(to, file, closeOnExec);
    return to;
  }

  /** fcntl(2). */
  static long fcntl(Task task, Arguments arguments) {
    DescriptorTable descriptors = task.process().descriptors();
    int number = arguments.integer(0);
    int command = arguments.integer(1);
    int value = arguments.integer(2);
    OpenFile file = descriptors.get(number);
    return switch (command) {
      case F_DUPFD, F_DUPFD_CLOEXEC -> {
        if (value < 0 || value >= descriptors.limit()) {
          throw new ErrnoException(Errno.EINVAL);
        }
        yield descriptors.add(file, command == F_DUPFD_CLOEXEC, value);
      }
      case F_GETFD -> descriptors.isCloseOnExec(number) ? FD_CLOEXEC : 0;
      case F_SETFD -> {
        descriptors.closeOnExec(number, Bits.any(value, FD_CLOEXEC));
        yield 0;
      }
      case F_GETFL -> file.flags();
      default -> control(task, Descriptors.opened(task, number), command, arguments);
    };
  }

  /** Commands that are not allowed on a descriptor opened with O_PATH. */
  private static long control(Task task, OpenFile file, int command, Arguments arguments) {
    int value = arguments.integer(2);
    return switch (command) {
      case F_SETFL -> {
        file.flags((file.flags() & ~CHANGEABLE) | (value & CHANGEABLE));
        yield 0;
      }
      case F_GETLK -> LockCalls.getlk(task, file, arguments, false);
      case F_OFD_GETLK -> LockCalls.getlk(task, file, arguments, true);
      case F_SETLK -> LockCalls.setlk(task, file, arguments, false, false);
      case F_SETLKW -> LockCalls.setlk(task, file, arguments, false, true);
      case F_OFD_SETLK -> LockCalls.setlk(task, file, arguments, true, false);
      case F_OFD_SETLKW -> LockCalls.setlk(task, file, arguments, true, true);
      case F_GETOWN, F_SETOWN -> 0; // nothing here ever sends SIGIO
      case F_GETPIPE_SZ -> pipe(file).capacity();
      case F_SETPIPE_SZ -> pipe(file).capacity(value);
      default -> throw new ErrnoException(Errno.EINVAL);
    };
  }

  private static PipeEnd pipe(OpenFile file) {
    if (file instanceof PipeEnd end) {
      return end;
    }
    throw new ErrnoException(Errno.EBADF);
  }
}
