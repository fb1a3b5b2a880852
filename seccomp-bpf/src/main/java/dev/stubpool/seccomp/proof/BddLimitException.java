package dev.stubpool.seccomp.proof;

/** Thrown if the limit for nodes or steps of a {@link Bdd} is exceeded. */
final class BddLimitException extends RuntimeException {

  private static final long serialVersionUID = 1;

  BddLimitException(String message) {
    super(message, null, false, false);
  }
}
