package dev.stubpool.kernel.load;

import dev.stubpool.kernel.abi.Errno;

/** A file is no program that can be loaded; the message is what to say after its name. */
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

  /** What execve(2) fails with. */
  public Errno errno() {
    return errno;
  }
}
