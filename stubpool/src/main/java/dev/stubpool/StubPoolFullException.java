package dev.stubpool;

/** Thrown by {@link Stub#spawnChild} when the pool already has {@code maxStubs} stubs in use. */
public final class StubPoolFullException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  StubPoolFullException(String message) {
    super(message);
  }
}
