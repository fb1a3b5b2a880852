package dev.stubpool.kernel.abi;

import java.io.IOException;

/** What a system call fails with: becomes its result. */
public final class ErrnoException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Errno errno;

  /** Without a stack trace: it is an answer, not an accident. */
  public ErrnoException(Errno errno) {
    super(errno.name(), null, false, false);
    this.errno = errno;
  }

  /** What a call of the host failed with. */
  public static ErrnoException of(IOException failure) {
    return new ErrnoException(Errno.of(failure));
  }

  /** The error. */
  public Errno errno() {
    return errno;
  }
}
