package dev.stubpool;

/** Thrown when the pool is closed, or is closed while the caller waits. */
public final class StubPoolClosedException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  StubPoolClosedException(String pool) {
    super("pool " + pool + " is closed");
  }
}
