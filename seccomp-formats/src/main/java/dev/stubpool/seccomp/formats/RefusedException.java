package dev.stubpool.seccomp.formats;

/** Thrown if libseccomp would refuse a call; the filter is unchanged. */
final class RefusedException extends Exception {
  private static final long serialVersionUID = 1;

  RefusedException(String reason) {
    super(reason);
  }
}
