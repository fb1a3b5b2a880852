package dev.stubpool;

/** Thrown when no stub became free in time. The message contains the pool's counts. */
public final class AcquireTimeoutException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  AcquireTimeoutException(String message) {
    super(message);
  }
}
