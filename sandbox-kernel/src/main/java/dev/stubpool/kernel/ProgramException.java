package dev.stubpool.kernel;

/** Thrown if a program cannot be loaded, or if its run fails in the kernel. */
public final class ProgramException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ProgramException(String message) {
    super(message);
  }

  ProgramException(String message, Throwable cause) {
    super(message, cause);
  }
}
