package dev.stubpool;

/**
 * Thrown when an atomic operation is used on memory of a stub that this JVM does not have mapped:
 * all memory except {@link MemoryFile}s mapped {@link Sharing#SHARED}. Nothing was done.
 *
 * <p>Either map a memory file SHARED at that address from the beginning, or use {@link
 * StubMemory#read} and {@link StubMemory#write} while no guest runs in the stub.
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

  /** {@return the address of the word} */
  public long address() {
    return address;
  }
}
