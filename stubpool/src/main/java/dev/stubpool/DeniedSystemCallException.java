package dev.stubpool;

import dev.stubpool.abi.SystemCalls;

/**
 * Thrown when the stub's seccomp filter denied a system call. The call was not made, and the stub
 * is unchanged.
 */
public final class DeniedSystemCallException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  private final int number;

  DeniedSystemCallException(int number) {
    super(
        SystemCalls.name(number)
            + " ("
            + number
            + ") with these arguments is denied by the stub's seccomp filter; it was not made");
    this.number = number;
  }

  /** {@return the call's number} */
  public int number() {
    return number;
  }
}
