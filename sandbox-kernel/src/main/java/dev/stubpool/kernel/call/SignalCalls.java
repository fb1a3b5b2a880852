package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.task.Signals;
import dev.stubpool.kernel.task.Task;

/** Calls about signals. */
final class SignalCalls {
  private static final int SIG_BLOCK = 0;
  private static final int SIG_UNBLOCK = 1;
  private static final int SIG_SETMASK = 2;

  private SignalCalls() {}

  /** rt_sigaction, sigaction(2). */
  static long sigaction(Task task, Arguments arguments) {
    Signals signals = task.process().signals();
    int signal = arguments.integer(0);
    checkSetSize(arguments);
    if (signal < 1
        || signal > Signal.SIGRTMAX
        || (arguments.word(1) != 0 && (signal == Signal.SIGKILL || signal == Signal.SIGSTOP))) {
      throw new ErrnoException(Errno.EINVAL);
    }
    byte[] before = signals.action(signal);
    if (arguments.word(1) != 0) {
      signals.action(signal, task.memory().read(arguments.word(1), Signals.ACTION_SIZE));
    }
    if (arguments.word(2) != 0) {
      task.memory().write(arguments.word(2), before);
    }
    return 0;
  }

  /** rt_sigprocmask, sigprocmask(2). */
  static long sigprocmask(Task task, Arguments arguments) {
    Signals signals = task.process().signals();
    checkSetSize(arguments);
    long before = signals.mask();
    if (arguments.word(1) != 0) {
      long set = task.memory().readLong(arguments.word(1));
      signals.mask(
          switch (arguments.integer(0)) {
            case SIG_BLOCK -> before | set;
            case SIG_UNBLOCK -> before & ~set;
            case SIG_SETMASK -> set;
            default -> throw new ErrnoException(Errno.EINVAL);
          });
    }
    if (arguments.word(2) != 0) {
      task.memory().writeLong(arguments.word(2), before);
    }
    return 0;
  }

  /** Both have it as their fourth argument. */
  private static void checkSetSize(Arguments arguments) {
    if (arguments.word(3) != Long.BYTES) {
      throw new ErrnoException(Errno.EINVAL);
    }
  }

  /** sigaltstack(2). */
  static long sigaltstack(Task task, Arguments arguments) {
    Signals signals = task.process().signals();
    byte[] before = signals.stack();
    if (arguments.word(0) != 0) {
      signals.stack(task.memory().read(arguments.word(0), Signals.STACK_SIZE));
    }
    if (arguments.word(1) != 0) {
      task.memory().write(arguments.word(1), before);
    }
    return 0;
  }

  /** kill(2): to itself, or to its group. */
  static long kill(Task task, Arguments arguments) {
    int pid = arguments.integer(0);
    return send(task, pid == 0 ? task.process().pid() : pid, arguments.integer(1));
  }

  /** tkill(2). */
  static long tkill(Task task, Arguments arguments) {
    return send(task, arguments.integer(0), arguments.integer(1));
  }

  /** tgkill, tkill(2). */
  static long tgkill(Task task, Arguments arguments) {
    if (arguments.integer(0) != task.process().pid()) {
      throw new ErrnoException(Errno.ESRCH);
    }
    return send(task, arguments.integer(1), arguments.integer(2));
  }

  private static long send(Task task, int to, int signal) {
    if (signal < 0 || signal > Signal.SIGRTMAX) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (to != task.tid()) {
      throw new ErrnoException(Errno.ESRCH);
    }
    if (signal != 0) {
      task.process().signals().send(signal);
    }
    return 0;
  }
}
