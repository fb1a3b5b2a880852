package dev.stubpool;

/** The thread was interrupted while it waited for a stub; its interrupt status is set again. */
public final class AcquireInterruptedException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  /** Makes one. */
  public AcquireInterruptedException(String message) {
    super(message);
  }
}
