package dev.stubpool.kernel.process;

import dev.stubpool.StubPoolException;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.memory.RobustList;

/** The actions of a thread when it leaves its memory, by its end or by execve(2). */
final class TaskEnd {
  private TaskEnd() {}

  /** Releases its robust futexes and wakes those that wait for its end, futex(2). */
  static void leaveMemory(Task task) {
    ProgramMemory program = task.program();
    try {
      if (task.robustList() != 0) {
        program.stopAll(task.table().lock());
        RobustList.release(
            program.user(), program.map(), task.table().futexes(), task.robustList(), task.tid());
      }
      if (task.clearTidAddress() != 0) {
        program.user().writeInt(task.clearTidAddress(), 0);
        task.table().futexes().wake(program.map(), task.clearTidAddress(), 1);
      }
    } catch (ErrnoException | StubPoolException _) {
      // The memory is unmapped, the stub dead or the pool closed: there can be no waiters in it.
    }
    task.robustList(0);
    task.clearTidAddress(0);
  }
}
