package dev.stubpool.seccomp.proof;

/**
 * Thrown if answering a question about a program or a policy would exceed the limit for memory or
 * time: decision diagrams for products and quotients of unknown words are exponentially large.
 *
 * <p>Filters that only compare, mask, add and shift do not cause it.
 */
public final class UndecidedException extends IllegalArgumentException {

  private static final long serialVersionUID = 1;

  UndecidedException(String message) {
    super(message);
  }
}
