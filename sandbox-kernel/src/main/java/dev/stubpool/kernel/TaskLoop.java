package dev.stubpool.kernel;

import dev.stubpool.Trap;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.call.Strace;
import dev.stubpool.kernel.call.SystemCallTable;
import dev.stubpool.kernel.task.Task;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** Runs a task: lets its guest go, and answers its traps until it ends. */
final class TaskLoop {
  /** An exit status as shells have it: this and the signal's number. */
  private static final int KILLED = 128;

  private static final int TRAP_TRACE = 2;

  private final SystemCallTable calls;
  private final Strace strace;
  private final Consumer<String> diagnostics;

  /**
   * Makes a loop.
   *
   * @param strace may be null
   */
  TaskLoop(SystemCallTable calls, Strace strace, Consumer<String> diagnostics) {
    this.calls = calls;
    this.strace = strace;
    this.diagnostics = diagnostics;
  }

  /** Runs it to its end; its exit status. */
  int run(Task task) {
    while (true) {
      switch (task.guest().resume()) {
        case Trap.SystemCall call -> {
          long result = calls.serve(task, call);
          if (task.exitStatus().isPresent()) {
            return exited(task.exitStatus().getAsInt());
          }
          task.guest().complete(result);
          OptionalInt fatal = task.process().signals().fatal();
          if (fatal.isPresent()) {
            return killed(task, fatal.getAsInt());
          }
        }
        case Trap.Fault fault -> {
          return faulted(task, fault.signal(), fault.code(), fault.address());
        }
        case Trap.Breakpoint breakpoint -> {
          return faulted(task, Signal.SIGTRAP, breakpoint.code(), OptionalLong.empty());
        }
        case Trap.Step _ -> {
          return faulted(task, Signal.SIGTRAP, TRAP_TRACE, OptionalLong.empty());
        }
        case Trap.Interrupted _ -> {
          // Nobody interrupts but by mistake.
        }
        case Trap.Died died ->
            throw new ProgramException("the stub that ran the program is dead: " + died.how());
      }
    }
  }

  private int faulted(Task task, int signal, int code, OptionalLong address) {
    if (strace != null) {
      strace.fault(signal, code, address);
    }
    return killed(task, signal);
  }

  private int exited(int status) {
    if (strace != null) {
      strace.exited(status);
    }
    return status;
  }

  private int killed(Task task, int signal) {
    if (task.process().signals().hasHandler(signal)) {
      diagnostics.accept(
          "the program handles %s itself, which this kernel cannot have it do: it is ended"
              .formatted(Signal.name(signal)));
    }
    if (strace != null) {
      strace.killed(signal);
    }
    return KILLED + signal;
  }
}
