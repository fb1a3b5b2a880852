package dev.stubpool.kernel.process;

import dev.stubpool.X86Registers;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.InterruptedCallException.Restart;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.signal.SignalActions;
import dev.stubpool.kernel.signal.SignalActions.Action;
import dev.stubpool.kernel.signal.SignalFrame;
import dev.stubpool.kernel.signal.SignalInfo;
import java.util.function.BiConsumer;

/** Delivers signals according to a process's dispositions, before its guest resumes, signal(7). */
public final class SignalDelivery {
  private static final int SYSCALL_SIZE = 2;

  private final BiConsumer<Task, SignalInfo> watcher;

  /**
   * Creates the delivery.
   *
   * @param watcher is called with each signal before its delivery
   */
  public SignalDelivery(BiConsumer<Task, SignalInfo> watcher) {
    this.watcher = watcher;
  }

  /**
   * Delivers one signal, if any is pending, in the task's own thread, while its guest is stopped.
   *
   * @return whether one was delivered
   */
  public boolean deliver(Task task) {
    SignalInfo info = task.nextSignal();
    if (info == null) {
      return false;
    }
    watcher.accept(task, info);
    Action action = task.process().actions().of(info.signal());
    if (action.hasHandler()) {
      handle(task, info, action);
    } else if (!task.process().actions().ignores(info.signal())) {
      act(task, info.signal());
    }
    return true;
  }

  private static void handle(Task task, SignalInfo info, Action action) {
    Restart restart = task.takeInterrupted();
    if (restart == Restart.AS_ACTION_SAYS && action.has(SignalActions.SA_RESTART)) {
      makeCallAgain(task);
    } else if (restart != null) {
      task.guest().registers().rax(-Errno.EINTR.number());
    }
    if (action.has(SignalActions.SA_RESETHAND)) {
      task.process().actions().reset(info.signal());
    }
    try {
      SignalFrame.push(task.guest(), task.memory(), action, info, task.signals());
      task.endCall();
    } catch (ErrnoException _) {
      cannotHandle(task, info.signal());
    }
  }

  /** Handles a handler whose frame does not fit on the stack: forces SIGSEGV. */
  private static void cannotHandle(Task task, int signal) {
    if (signal == Signal.SIGSEGV) {
      task.process().end(ExitStatus.killed(signal));
    } else {
      task.force(SignalInfo.ofKernel(Signal.SIGSEGV));
    }
  }

  /** Performs the default action of a signal. */
  private static void act(Task task, int signal) {
    GuestProcess process = task.process();
    if (!Signal.isStop(signal)) {
      process.end(ExitStatus.killed(signal));
    } else if (signal == Signal.SIGSTOP || !task.table().isOrphaned(process)) {
      process.stop(signal);
    }
  }

  /** Makes the guest restart the system call at which it stopped. */
  public static void makeCallAgain(Task task) {
    X86Registers registers = task.guest().registers();
    registers.rip(registers.rip() - SYSCALL_SIZE).rax(task.interruptedCall());
  }
}
