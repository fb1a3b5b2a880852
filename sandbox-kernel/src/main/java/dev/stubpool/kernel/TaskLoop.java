package dev.stubpool.kernel;

import dev.stubpool.Guest;
import dev.stubpool.Trap;
import dev.stubpool.kernel.abi.InterruptedCallException;
import dev.stubpool.kernel.abi.InterruptedCallException.Restart;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.call.Strace;
import dev.stubpool.kernel.call.SystemCallTable;
import dev.stubpool.kernel.process.ExitStatus;
import dev.stubpool.kernel.process.ProcessTable;
import dev.stubpool.kernel.process.ProgramMemory;
import dev.stubpool.kernel.process.SignalDelivery;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.signal.FaultSignals;

/**
 * Runs tasks, each in a thread of its own: resumes the guest and serves its traps until the task
 * ends. A task holds the kernel's lock except while its guest runs or the task waits.
 */
final class TaskLoop {
  private final SystemCallTable calls;
  private final Strace strace;
  private final SignalDelivery delivery;

  /**
   * Creates a loop.
   *
   * @param strace prints system calls; may be null
   */
  TaskLoop(SystemCallTable calls, Strace strace) {
    this.calls = calls;
    this.strace = strace;
    this.delivery = new SignalDelivery(strace == null ? (_, _) -> {} : strace::signal);
  }

  /** Starts a thread that runs a task to its end. */
  void start(Task task) {
    Thread _ = Thread.ofVirtual().name("stubpool-task-" + task.tid()).start(() -> run(task));
  }

  /** Runs the programs that the task executes, one after the other, each in a stub of its own. */
  private void run(Task task) {
    ProcessTable table = task.table();
    try {
      while (task.hasNext()) {
        ProgramMemory memory = task.program();
        try {
          memory
              .stub()
              .run(
                  guest -> {
                    table.lock().with(() -> serve(task, guest));
                    return null;
                  });
        } finally {
          table.lock().with(() -> leave(task, memory));
        }
      }
    } catch (RuntimeException e) {
      table.lock().with(() -> table.fail(e));
    } catch (Error e) {
      table.lock().with(() -> table.fail(new IllegalStateException("a task failed", e)));
    } finally {
      table
          .lock()
          .with(
              () -> {
                table.ended(task);
                table.finished();
              });
    }
  }

  private static void leave(Task task, ProgramMemory memory) {
    try {
      if (task.program() == memory) {
        task.table().ended(task); // before its memory is released, which ending may still access
      }
    } finally {
      if (memory.leave(task)) {
        memory.close();
      }
    }
  }

  /** Serves traps until the task ends or executes another program. */
  private void serve(Task task, Guest guest) {
    ProcessTable.current(task);
    try {
      watch(task.table(), task.program());
      begin(task, guest);
      while (!task.isLeaving() && !task.hasNext()) {
        if (task.hasWork()) {
          work(task);
        } else {
          settle(task);
          Trap trap = resume(task);
          if (!task.isLeaving()) { // else it must not create a thread, which would never be ended
            answer(task, trap);
          }
        }
      }
      if (task.isLeaving()) {
        tellEnd(task);
        task.table().ended(task);
      }
    } finally {
      ProcessTable.current(null);
    }
  }

  /** Watches for the death of the stub, which causes no trap if all of its tasks wait. */
  private static void watch(ProcessTable table, ProgramMemory memory) {
    if (memory.watch()) {
      var _ =
          memory
              .stub()
              .onDeath()
              .thenAccept(
                  how ->
                      table
                          .lock()
                          .with(
                              () ->
                                  memory
                                      .anyTask()
                                      .ifPresent(task -> table.fail(death(task, how)))));
    }
  }

  private static ProgramException death(Task task, String how) {
    return new ProgramException(
        "the stub of process %d is dead: %s".formatted(task.process().pid(), how));
  }

  private static void begin(Task task, Guest guest) {
    try {
      task.begin(guest);
    } catch (IllegalArgumentException _) {
      // Its creator has set, by wrfsbase, a base that ptrace refuses.
      task.process().end(ExitStatus.killed(Signal.SIGSEGV));
    }
  }

  private void work(Task task) {
    if (task.process().isStopped()) {
      task.awaitContinue();
    } else {
      boolean _ = delivery.deliver(task);
    }
  }

  /** Called when no signal is left to be delivered: restarts an interrupted call. */
  private static void settle(Task task) {
    Restart restart = task.takeInterrupted();
    if (restart != null) {
      SignalDelivery.makeCallAgain(task);
    }
    task.signals().endCall();
  }

  private static Trap resume(Task task) {
    ProgramMemory memory = task.program();
    task.beginGuest();
    task.table().lock().unlock();
    try {
      return task.guest().resume();
    } finally {
      memory.endRun();
      task.table().lock().lock();
      task.endGuest();
    }
  }

  private void answer(Task task, Trap trap) {
    if (!(trap instanceof Trap.SystemCall)) {
      task.table().countOtherTrap();
    }
    switch (trap) {
      case Trap.SystemCall call -> serve(task, call);
      case Trap.Fault fault ->
          task.force(FaultSignals.of(task.guest(), fault, isHandled(task, fault.signal())));
      case Trap.Breakpoint breakpoint -> task.force(FaultSignals.of(breakpoint));
      case Trap.Step _ -> task.force(FaultSignals.ofStep(task.guest()));
      case Trap.Interrupted _ -> {
        // hasWork finds what is to be done.
      }
      case Trap.Died died -> throw death(task, died.how());
    }
  }

  private void serve(Task task, Trap.SystemCall call) {
    try {
      long result = calls.serve(task, call);
      task.endCall();
      if (!task.isLeaving() && !task.hasNext() && !task.takeKeepsRegisters()) {
        task.guest().complete(result);
      }
    } catch (InterruptedCallException e) {
      task.interrupted(e.restart(), call.number());
    }
  }

  private static boolean isHandled(Task task, int signal) {
    return task.process().actions().of(signal).hasHandler();
  }

  private void tellEnd(Task task) {
    if (strace != null && task.process().tasks().size() == 1) {
      int status = task.process().waitStatus();
      if (ExitStatus.signal(status) == 0) {
        strace.exited(task, ExitStatus.code(status));
      } else {
        strace.killed(task, ExitStatus.signal(status));
      }
    }
  }
}
