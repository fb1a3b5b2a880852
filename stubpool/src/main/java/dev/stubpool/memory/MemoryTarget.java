package dev.stubpool.memory;

import dev.stubpool.AddressSpace;
import dev.stubpool.ptrace.Tracee;

/** What the implementation of {@link dev.stubpool.StubMemory} needs of a lease. */
public interface MemoryTarget {
  /** The stub's process. */
  Tracee tracee();

  /** The record of what the library has mapped in the stub. */
  MappingTable mappings();

  /** The addresses that can be mapped. */
  AddressSpace addressSpace();

  /** Throws if the lease or its pool is closed. */
  void checkUsable();

  /**
   * Runs a system call in the stub and records how it changed the mappings.
   *
   * @return the kernel's result, -errno in [-4095, -1]
   */
  long call(int number, long a, long b, long c, long d, long e, long f);

  /**
   * Maps a file in the stub by mmap(2) and records it.
   *
   * @param fd the file's descriptor, which stays open meanwhile
   * @param step what is being done, for error messages
   * @return the kernel's result, -errno in [-4095, -1]
   */
  long map(
      MappableFile file,
      int fd,
      String step,
      long address,
      long size,
      long protection,
      long flags,
      long offset);
}
