package dev.stubpool;

import dev.stubpool.nativestubs.Errno;

/**
 * A stub's memory could not be accessed: the page is not mapped, its protection does not allow it,
 * or it lies beyond the end of its file. {@link #errno} is EFAULT.
 */
public final class MemoryFaultException extends SystemCallException {
  private static final long serialVersionUID = 1L;

  private final long address;
  private final long copied;

  MemoryFaultException(String call, String step, long address, long copied) {
    super(call, Errno.EFAULT, step);
    this.address = address;
    this.copied = copied;
  }

  /** The first address that could not be accessed. Everything before it was. */
  public long address() {
    return address;
  }

  /** How many bytes were copied before it; with several ranges, of all of them. */
  public long copied() {
    return copied;
  }
}
