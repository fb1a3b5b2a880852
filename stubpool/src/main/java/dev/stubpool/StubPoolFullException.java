package dev.stubpool;

/** Another stub was asked for at once, and the pool has as many as it may have. */
public final class StubPoolFullException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  StubPoolFullException(String message) {
    super(message);
  }
}
