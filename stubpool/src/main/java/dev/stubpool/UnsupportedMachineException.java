package dev.stubpool;

/** This machine, kernel or JVM cannot run stubs as it is; the message says what to change. */
public final class UnsupportedMachineException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  /** Makes one. */
  public UnsupportedMachineException(String message) {
    super(message);
  }

  /** Makes one with its cause. */
  public UnsupportedMachineException(String message, Throwable cause) {
    super(message, cause);
  }
}
