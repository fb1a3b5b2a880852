package dev.stubpool.kernel.call;

import dev.stubpool.kernel.process.Task;
import java.util.List;

/**
 * A system call that the kernel has.
 *
 * @param name without the number, as in its manual page
 * @param handler what it does
 * @param result how strace prints what came out
 * @param parameters how strace prints what went in
 */
record SystemCall(String name, Handler handler, Result result, List<Parameter> parameters) {
  /** What a system call does. */
  @FunctionalInterface
  interface Handler {
    /**
     * Does it.
     *
     * @return what the guest gets
     * @throws dev.stubpool.kernel.abi.ErrnoException what it gets instead
     */
    long serve(Task task, Arguments arguments);
  }

  /** How a result is printed. */
  enum Result {
    NUMBER,
    ADDRESS
  }
}
