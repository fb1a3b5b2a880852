package dev.stubpool;

import org.jspecify.annotations.Nullable;

/** Thrown when the machine, kernel or JVM cannot run stubs. The message says what to change. */
public final class UnsupportedMachineException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  UnsupportedMachineException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
