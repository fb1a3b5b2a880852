package dev.stubpool.kernel.call;

import dev.stubpool.kernel.process.Cloning;
import dev.stubpool.kernel.process.Task;

/** System calls that create threads and processes. */
final class CloneCalls {
  private CloneCalls() {}

  /** clone(2). */
  static long clone(Task task, Arguments arguments) {
    return new Cloning(
            arguments.word(0),
            arguments.word(1),
            arguments.word(2),
            arguments.word(3),
            arguments.word(4))
        .perform(task);
  }

  /** fork(2). */
  static long fork(Task task, Arguments arguments) {
    return Cloning.fork().perform(task);
  }

  /** vfork(2). */
  static long vfork(Task task, Arguments arguments) {
    return Cloning.vfork().perform(task);
  }
}
