package dev.stubpool;

/** Thrown when a {@link Stub#run(GuestProgram, java.time.Duration)} exceeds its time limit. */
public final class GuestTimeoutException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  GuestTimeoutException(String message) {
    super(message);
  }
}
