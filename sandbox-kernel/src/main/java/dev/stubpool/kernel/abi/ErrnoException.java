package dev.stubpool.kernel.abi;

import dev.stubpool.SystemCallException;
import java.io.IOException;

/** Thrown by a handler if a system call fails; its error becomes the result. */
public final class ErrnoException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Errno errno;

  /** Creates an exception without a stack trace, because it is an ordinary result. */
  public ErrnoException(Errno errno) {
    super(errno.name(), null, false, false);
    this.errno = errno;
  }

  /** The exception for a failed call of the host. */
  public static ErrnoException of(IOException failure) {
    return new ErrnoException(Errno.of(failure));
  }

  /** The exception for a system call that the host's kernel refused. */
  public static ErrnoException of(SystemCallException failure) {
    return new ErrnoException(Errno.of(failure.errno()));
  }

  /** The error. */
  public Errno errno() {
    return errno;
  }
}
