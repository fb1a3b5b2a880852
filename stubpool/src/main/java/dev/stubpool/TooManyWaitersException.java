package dev.stubpool;

/** Thrown when {@code maxWaiters} threads already wait for a stub. */
public final class TooManyWaitersException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  TooManyWaitersException(String message) {
    super(message);
  }
}
