package dev.stubpool.nativestubs;

/** A system call that failed while the image was set up. */
public final class NativeCallException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final int errno;
  private final String step;

  NativeCallException(String call, int errno, String step) {
    super(call + ": " + Errno.name(errno) + " while " + step);
    this.call = call;
    this.errno = errno;
    this.step = step;
  }

  /** The call's name. */
  public String call() {
    return call;
  }

  /** The error number, positive. */
  public int errno() {
    return errno;
  }

  /** What was being done. */
  public String step() {
    return step;
  }
}
