package dev.stubpool;

import dev.stubpool.abi.Errno;

/**
 * Thrown when a system call fails, in this process or in a stub. The message contains the call, the
 * error number's name, the step that failed and, where it is known, what to do.
 */
public sealed class SystemCallException extends StubPoolException permits MemoryFaultException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final int errno;
  private final String step;
  private final String advice;

  SystemCallException(String call, int errno, String step, String advice) {
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

  /** A copy of this failure for another thread, since threads must not share exceptions. */
  SystemCallException again() {
    SystemCallException copy = new SystemCallException(call, errno, step, advice);
    copy.addSuppressed(this);
    return copy;
  }

  /** {@return the call's name, such as {@code mmap} or {@code ptrace(PTRACE_SEIZE)}} */
  public String call() {
    return call;
  }

  /** {@return the error number, positive} */
  public int errno() {
    return errno;
  }

  /** {@return the error number's name, such as {@code EAGAIN}} */
  public String errnoName() {
    return Errno.name(errno);
  }

  /** {@return what was being done, such as "forging a stub"} */
  public String step() {
    return step;
  }
}
