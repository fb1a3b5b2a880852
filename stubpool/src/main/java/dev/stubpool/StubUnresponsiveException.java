package dev.stubpool;

/** A stub did not stop within its deadline and was killed; the kernel may still hold it. */
public final class StubUnresponsiveException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  /** Makes one. */
  public StubUnresponsiveException(String message) {
    super(message);
  }
}
