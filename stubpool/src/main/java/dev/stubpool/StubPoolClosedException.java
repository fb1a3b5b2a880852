package dev.stubpool;

/** The pool is closed, or was closed while the caller waited. */
public final class StubPoolClosedException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  /** Makes one for the pool of this name. */
  public StubPoolClosedException(String pool) {
    super("pool " + pool + " is closed");
  }
}
