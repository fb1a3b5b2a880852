package dev.stubpool.kernel.memory;

import dev.stubpool.Protection;
import dev.stubpool.StubMemory;
import java.nio.ByteBuffer;

/**
 * Executes mapping operations in a stub. Every method throws {@link
 * dev.stubpool.kernel.abi.ErrnoException} if the host refuses.
 */
interface Mapper {
  /** Returns a mapper for another stub of the pool. */
  Mapper of(StubMemory other);

  /** Creates shared anonymous memory. */
  SharedMemory share(MemoryBudget budget, long size);

  /** Maps a region without private pages, replacing existing mappings. */
  void map(Region region);

  /** Changes the protection of a mapped range. */
  void protect(long start, long end, Protection protection);

  /** Unmaps a range. */
  void unmap(long start, long end);

  /**
   * Copies the readable pages of a region to a new, writable mapping of the same.
   *
   * @param through the buffer to use
   */
  void copy(Region from, long to, ByteBuffer through);
}
