package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.InterruptedCallException;
import dev.stubpool.kernel.abi.InterruptedCallException.Restart;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.signal.AlternateStack;
import dev.stubpool.kernel.signal.SignalActions;
import dev.stubpool.kernel.signal.SignalActions.Action;
import dev.stubpool.kernel.signal.SignalFrame;
import dev.stubpool.kernel.signal.SignalInfo;
import dev.stubpool.kernel.signal.TaskSignals;
import dev.stubpool.kernel.sync.Sleeper;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** System calls on signals, except those that send them. */
final class SignalCalls {
  private static final int SIG_BLOCK = 0;
  private static final int SIG_UNBLOCK = 1;
  private static final int SIG_SETMASK = 2;

  private SignalCalls() {}

  private static void checkSetSize(long size) {
    if (size != Long.BYTES) {
      throw new ErrnoException(Errno.EINVAL);
    }
  }

  // ---- dispositions and masks ----

  /** rt_sigaction, sigaction(2). */
  static long sigaction(Task task, Arguments arguments) {
    SignalActions actions = task.process().actions();
    int signal = arguments.integer(0);
    long changed = arguments.word(1);
    checkSetSize(arguments.word(3));
    if (signal < 1 || signal > Signal.SIGRTMAX) {
      throw new ErrnoException(Errno.EINVAL);
    }
    Action before = actions.of(signal);
    if (changed != 0) {
      Action action = Action.parse(task.memory().read(changed, Action.SIZE));
      if (signal == Signal.SIGKILL || signal == Signal.SIGSTOP) {
        throw new ErrnoException(Errno.EINVAL);
      }
      actions.set(signal, action);
      if (actions.ignores(signal)) {
        task.process().drop(Signal.bit(signal));
      }
    }
    if (arguments.word(2) != 0) {
      task.memory().write(arguments.word(2), before.bytes());
    }
    return 0;
  }

  /** rt_sigprocmask, sigprocmask(2). */
  static long sigprocmask(Task task, Arguments arguments) {
    TaskSignals signals = task.signals();
    checkSetSize(arguments.word(3));
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

  /** rt_sigpending, sigpending(2). */
  static long sigpending(Task task, Arguments arguments) {
    if (Long.compareUnsigned(arguments.word(1), Long.BYTES) > 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    TaskSignals signals = task.signals();
    long pending = signals.pending().set() | task.process().pendingSignals().set();
    byte[] set = Struct.bytes(Struct.allocate(Long.BYTES).putLong(pending & signals.mask()));
    task.memory().write(arguments.word(0), Arrays.copyOf(set, (int) arguments.word(1)));
    return 0;
  }

  /** sigaltstack(2). */
  static long sigaltstack(Task task, Arguments arguments) {
    TaskSignals signals = task.signals();
    long pointer = task.guest().registers().rsp();
    byte[] before = signals.stack().bytesFor(pointer);
    if (arguments.word(0) != 0) {
      byte[] stack = task.memory().read(arguments.word(0), AlternateStack.SIZE);
      signals.changeStack(AlternateStack.parse(stack), pointer);
    }
    if (arguments.word(1) != 0) {
      task.memory().write(arguments.word(1), before);
    }
    return 0;
  }

  /** rt_sigreturn, sigreturn(2). */
  static long sigreturn(Task task, Arguments arguments) {
    task.keepRegisters();
    try {
      SignalFrame.pop(task.guest(), task.memory(), task.signals());
    } catch (ErrnoException _) {
      task.force(SignalInfo.ofKernel(Signal.SIGSEGV));
    }
    return task.guest().registers().rax();
  }

  // ---- waiting ----

  /** pause(2). */
  static long pause(Task task, Arguments arguments) {
    return task.<Long>await(List.of(), Sleeper.NEVER, Restart.WITHOUT_HANDLER, Optional::empty)
        .orElseThrow();
  }

  /** rt_sigsuspend, sigsuspend(2). */
  static long sigsuspend(Task task, Arguments arguments) {
    checkSetSize(arguments.word(1));
    task.signals().maskForCall(task.memory().readLong(arguments.word(0)));
    return pause(task, arguments);
  }

  /** rt_sigtimedwait, sigtimedwait(2). */
  static long sigtimedwait(Task task, Arguments arguments) {
    checkSetSize(arguments.word(3));
    long set = task.memory().readLong(arguments.word(0)) & ~TaskSignals.UNBLOCKABLE;
    long deadline = Timeout.read(task, arguments.word(2)).deadline();
    SignalInfo taken = await(task, set, deadline);
    if (arguments.word(1) != 0) {
      task.memory().write(arguments.word(1), taken.bytes());
    }
    return taken.signal();
  }

  /** Waits for a signal; the call is never restarted after another signal. */
  private static SignalInfo await(Task task, long set, long deadline) {
    try {
      return task.awaitSignal(set, deadline).orElseThrow(() -> new ErrnoException(Errno.EAGAIN));
    } catch (InterruptedCallException _) {
      throw new ErrnoException(Errno.EINTR);
    }
  }
}
