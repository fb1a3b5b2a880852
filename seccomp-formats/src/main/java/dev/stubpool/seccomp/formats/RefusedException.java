package dev.stubpool.seccomp.formats;

/** libseccomp would refuse a call; nothing has changed. */
final class RefusedException extends Exception {
  private static final long serialVersionUID = 1;

  RefusedException(String reason) {
    super(reason);
  }
}
