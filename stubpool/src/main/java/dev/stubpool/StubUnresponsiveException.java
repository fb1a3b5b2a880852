package dev.stubpool;

/**
 * Thrown when a stub does not stop within its deadline and is killed, or when a tracer thread does
 * not begin a request in time. A killed process may exist until the kernel can end it.
 */
public final class StubUnresponsiveException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  StubUnresponsiveException(String message) {
    super(message);
  }
}
