package dev.stubpool;

/** As many threads as the pool allows already wait for a stub. */
public final class TooManyWaitersException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  /** Makes one. */
  public TooManyWaitersException(String message) {
    super(message);
  }
}
