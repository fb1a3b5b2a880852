package dev.stubpool;

import dev.stubpool.abi.Errno;

/**
 * Thrown when a stub's memory cannot be accessed: the page is not mapped, its protection does not
 * allow the access, or it lies beyond the end of its file. {@link #errno} is EFAULT.
 */
public final class MemoryFaultException extends SystemCallException {
  private static final long serialVersionUID = 1L;

  private final long address;
  private final long copied;

  MemoryFaultException(String call, String step, long address, long copied) {
    super(call, Errno.EFAULT, step, "");
    this.address = address;
    this.copied = copied;
  }

  /** {@return the first address that could not be accessed} All bytes before it were copied. */
  public long address() {
    return address;
  }

  /** {@return the number of bytes copied before that address, in all ranges together} */
  public long copied() {
    return copied;
  }
}
