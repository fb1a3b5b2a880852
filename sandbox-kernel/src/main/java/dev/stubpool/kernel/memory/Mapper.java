package dev.stubpool.kernel.memory;

import dev.stubpool.Protection;
import dev.stubpool.StubMemory;
import java.nio.ByteBuffer;

/**
 * Has a stub map what a guest wants mapped. Every method throws {@link
 * dev.stubpool.kernel.abi.ErrnoException} for what the host refuses.
 */
interface Mapper {
  /** The same for another stub of the pool. */
  Mapper of(StubMemory other);

  /** Makes memory that processes share. */
  SharedMemory share(MemoryBudget budget, long size);

  /** Maps a region as it says, with nothing of its own, in place of whatever is there. */
  void map(Region region);

  /** Changes the protection of what is mapped. */
  void protect(long start, long end, Protection protection);

  /** Unmaps whatever is in a range. */
  void unmap(long start, long end);

  /**
   * Copies what can be read of a region to where the same was mapped anew, with WRITE.
   *
   * @param through a buffer for it
   */
  void copy(Region from, long to, ByteBuffer through);
}
