package dev.stubpool.nativestubs.calls;

import dev.stubpool.abi.Errno;

/** A system call that failed where its caller cannot go on: the call, the errno, and the step. */
public final class NativeCallException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final int errno;
  private final String step;

  /**
   * The failure of a call.
   *
   * @param errno positive
   * @param step what was being done, as in "mapping the stub image"
   */
  public NativeCallException(String call, int errno, String step) {
    super(call + ": " + Errno.name(errno) + " while " + step);
    this.call = call;
    this.errno = errno;
    this.step = step;
  }

  /**
   * Checks the raw result of a system call.
   *
   * @return {@code result}
   * @throws NativeCallException if {@code result} is -errno
   */
  public static long check(long result, String call, String step) {
    if (result < 0) {
      throw new NativeCallException(call, (int) -result, step);
    }
    return result;
  }

  /** The call's name. */
  public String call() {
    return call;
  }

  /** The error number, positive. */
  public int errno() {
    return errno;
  }

  /** What was being done. */
  public String step() {
    return step;
  }
}
