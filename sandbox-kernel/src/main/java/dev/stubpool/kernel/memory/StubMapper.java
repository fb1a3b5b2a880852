package dev.stubpool.kernel.memory;

import dev.stubpool.AddressSpace;
import dev.stubpool.HostFile;
import dev.stubpool.Mappable;
import dev.stubpool.MemoryFile;
import dev.stubpool.Protection;
import dev.stubpool.StubMemory;
import dev.stubpool.StubPool;
import dev.stubpool.SystemCallException;
import dev.stubpool.kernel.abi.ErrnoException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** A {@link Mapper} for a stub of a pool. */
final class StubMapper implements Mapper {
  /**
   * The size of a chunk of a copy, in bytes. Chunks of zeros are not written, so that they take no
   * memory.
   */
  private static final int CHUNK = 1 << 16;

  private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[CHUNK]);

  private final StubPool pool;
  private final StubMemory memory;

  /** Creates a mapper for a stub. */
  StubMapper(StubPool pool, StubMemory memory) {
    this.pool = pool;
    this.memory = memory;
  }

  /** Runs a call, and converts an error of the host's kernel to the guest's error. */
  private static void onHost(Runnable call) {
    try {
      call.run();
    } catch (SystemCallException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public Mapper of(StubMemory other) {
    return new StubMapper(pool, other);
  }

  @Override
  public SharedMemory share(MemoryBudget budget, long size) {
    return new SharedMemory(pool, budget, size);
  }

  @Override
  public void map(Region region) {
    onHost(
        () -> {
          if (region.backing() == null) {
            memory.mapAnonymous(region.start(), region.size(), region.protection());
          } else {
            mapBacking(region);
          }
        });
  }

  private void mapBacking(Region region) {
    switch (region.backing().open(pool)) {
      case HostFile opened -> {
        try (opened) {
          map(region, opened);
        }
      }
      case MemoryFile kept -> map(region, kept);
    }
  }

  private void map(Region region, Mappable file) {
    memory.map(
        region.start(),
        file,
        region.backing().offset(region.offset()),
        region.size(),
        region.protection(),
        region.sharing());
  }

  @Override
  public void protect(long start, long end, Protection protection) {
    onHost(() -> memory.protect(start, end - start, protection));
  }

  @Override
  public void unmap(long start, long end) {
    onHost(() -> memory.unmap(start, end - start));
  }

  @Override
  public void copy(Region from, long to, ByteBuffer through) {
    MemorySegment buffer = MemorySegment.ofBuffer(through);
    int most = Math.min(CHUNK, through.remaining());
    onHost(
        () -> {
          long done = 0;
          while (done < from.size()) {
            MemorySegment chunk = buffer.asSlice(0, Math.min(most, from.size() - done));
            long read = memory.readSome(from.start() + done, chunk);
            MemorySegment pages = chunk.asSlice(0, read);
            if (from.backing() != null || !isZero(pages)) {
              memory.write(to + done, pages);
            }
            done += read < chunk.byteSize() ? read + AddressSpace.PAGE_SIZE : read;
          }
        });
  }

  private static boolean isZero(MemorySegment pages) {
    return pages.mismatch(ZEROS.asSlice(0, pages.byteSize())) < 0;
  }
}
