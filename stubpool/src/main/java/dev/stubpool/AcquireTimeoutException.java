package dev.stubpool;

/** No stub became free in time. The message tells what the pool was doing. */
public final class AcquireTimeoutException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  /** Makes one. */
  public AcquireTimeoutException(String message) {
    super(message);
  }
}
