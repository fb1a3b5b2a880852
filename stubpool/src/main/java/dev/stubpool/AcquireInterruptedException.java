package dev.stubpool;

/**
 * Thrown when a thread is interrupted while it waits for a stub. The thread's interrupt status is
 * still set, and the cause is an {@link InterruptedException}.
 */
public final class AcquireInterruptedException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  AcquireInterruptedException(String message) {
    super(message, new InterruptedException("the interrupt status was set during the wait"));
  }
}
