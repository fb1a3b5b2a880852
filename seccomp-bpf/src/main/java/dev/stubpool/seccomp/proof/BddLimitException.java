package dev.stubpool.seccomp.proof;

/** A diagram became larger, or took longer to make, than was allowed. */
final class BddLimitException extends RuntimeException {

  private static final long serialVersionUID = 1;

  BddLimitException(String message) {
    super(message, null, false, false);
  }
}
