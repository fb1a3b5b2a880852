package dev.stubpool.seccomp.proof;

/**
 * A question about a program or a policy has an answer, but it would take too much memory or time
 * to find: decision diagrams for products and quotients of unknown words are exponentially large.
 *
 * <p>Filters that only compare, mask, add and shift are not concerned.
 */
public final class UndecidedException extends IllegalArgumentException {

  private static final long serialVersionUID = 1;

  UndecidedException(String message) {
    super(message);
  }
}
