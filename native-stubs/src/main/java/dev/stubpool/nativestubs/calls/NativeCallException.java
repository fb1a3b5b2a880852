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
