package dev.stubpool;

import dev.stubpool.nativestubs.SystemCalls;

/** The stub's filter denied a system call: it was not made, and the stub is as it was. */
public final class DeniedSystemCallException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  private final int number;

  /** Makes one for x86-64 system call {@code number}. */
  public DeniedSystemCallException(int number) {
    super(
        SystemCalls.name(number)
            + " ("
            + number
            + ") with these arguments is denied by the stub's filter; nothing was called");
    this.number = number;
  }

  /** The call's number. */
  public int number() {
    return number;
  }
}
