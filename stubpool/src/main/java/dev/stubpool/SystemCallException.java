package dev.stubpool;

import dev.stubpool.nativestubs.Errno;

/** A system call failed, in this process or in a stub. */
public sealed class SystemCallException extends StubPoolException permits MemoryFaultException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final int errno;
  private final String step;
  private final String advice;

  /**
   * Makes one.
   *
   * @param call the call's name
   * @param errno the error number, positive
   * @param step what was being done
   */
  public SystemCallException(String call, int errno, String step) {
    this(call, errno, step, "");
  }

  /**
   * Makes one that says what to do.
   *
   * @param advice a clause for the end of the message, or ""
   */
  public SystemCallException(String call, int errno, String step, String advice) {
    super(
        call
            + ": "
            + Errno.name(errno)
            + " while "
            + step
            + (advice.isEmpty() ? "" : "; " + advice));
    this.call = call;
    this.errno = errno;
    this.step = step;
    this.advice = advice;
  }

  /** {@code result}, unless it is {@code -errno}. */
  public static long check(long result, String call, String step) {
    if (result < 0 && result >= -4095) {
      throw new SystemCallException(call, (int) -result, step);
    }
    return result;
  }

  /** The same failure for another caller: exceptions are not shared between threads. */
  SystemCallException again() {
    SystemCallException copy = new SystemCallException(call, errno, step, advice);
    copy.addSuppressed(this);
    return copy;
  }

  /** The call's name. */
  public String call() {
    return call;
  }

  /** The error number, positive. */
  public int errno() {
    return errno;
  }

  /** The error number's name, such as {@code EAGAIN}. */
  public String errnoName() {
    return Errno.name(errno);
  }

  /** What was being done. */
  public String step() {
    return step;
  }
}
