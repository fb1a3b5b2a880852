package dev.stubpool;

/**
 * Memory of a stub cannot be changed atomically from outside, for it is no {@link MemoryFile}
 * mapped {@link Sharing#SHARED}: this JVM does not have it. Nothing was done.
 *
 * <p>There are two ways out. Map a memory file SHARED there, from the beginning. Or have nothing
 * run in the stub, and use {@link StubMemory#read} and {@link StubMemory#write}.
 */
public final class NotSharedMemoryException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  private final long address;

  NotSharedMemoryException(int pid, long address, String what) {
    super(
        "memory of stub "
            + pid
            + " at 0x"
            + Long.toHexString(address)
            + " is "
            + what
            + ", which cannot be accessed atomically from outside; map a MemoryFile SHARED there,"
            + " or use read and write while nothing runs in the stub");
    this.address = address;
  }

  /** Where. */
  public long address() {
    return address;
  }
}
