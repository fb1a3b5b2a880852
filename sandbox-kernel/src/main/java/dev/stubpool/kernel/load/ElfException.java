package dev.stubpool.kernel.load;

import dev.stubpool.kernel.abi.Errno;

/** Thrown if a file is not a program that can be loaded. The message continues the file's name. */
public final class ElfException extends Exception {
  private static final long serialVersionUID = 1L;

  private final Errno errno;

  ElfException(String message) {
    this(Errno.ENOEXEC, message);
  }

  ElfException(Errno errno, String message) {
    super(message);
    this.errno = errno;
  }

  /** The error for execve(2). */
  public Errno errno() {
    return errno;
  }
}
