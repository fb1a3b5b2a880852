package dev.stubpool.kernel.call;

import dev.stubpool.kernel.process.Task;
import java.util.List;

/**
 * A system call that the kernel supports.
 *
 * @param name its name
 * @param handler its implementation
 * @param result the format of its result in strace
 * @param parameters the types of its arguments, for strace
 */
record SystemCall(String name, Handler handler, Result result, List<Parameter> parameters) {
  /** The implementation of a system call. */
  @FunctionalInterface
  interface Handler {
    /**
     * Serves a call.
     *
     * @return the result for the guest
     * @throws dev.stubpool.kernel.abi.ErrnoException the error for the guest
     */
    long serve(Task task, Arguments arguments);
  }

  /** The format of a result. */
  enum Result {
    NUMBER,
    ADDRESS
  }
}
