package dev.stubpool;

/** A guest ran for longer than its {@link Stub#run(GuestProgram, java.time.Duration)} allows. */
public final class GuestTimeoutException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  GuestTimeoutException(String message) {
    super(message);
  }
}
