package dev.stubpool;

import dev.stubpool.nativestubs.FileCalls;
import dev.stubpool.nativestubs.MemoryCalls;
import dev.stubpool.nativestubs.NativeAccess;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory that this JVM and stubs can both map: a memfd of a fixed size, memfd_create(2). Starts as
 * zeros.
 */
public final class MemoryFile extends Mappable {
  private final MemorySegment segment;
  private final Arena arena;

  private MemoryFile(int fd, MemorySegment segment, Arena arena) {
    super("memory file of " + segment.byteSize() + " bytes", fd);
    this.segment = segment;
    this.arena = arena;
  }

  static MemoryFile create(long size) {
    if (size <= 0) {
      throw new IllegalArgumentException("size is " + size + ", must be positive");
    }
    long page = AddressSpace.PAGE_SIZE;
    long bytes = Math.multiplyExact(Math.ceilDiv(size, page), page);
    String step = "making a memory file of " + bytes + " bytes";
    int fd =
        (int)
            SystemCallException.check(
                MemoryCalls.memoryFile("stubpool-memory", bytes), "memfd_create", step);
    long address = MemoryCalls.mapFile(fd, bytes);
    if (address < 0 && address >= -4095) {
      FileCalls.close(fd);
      SystemCallException.check(address, "mmap", step);
    }
    Arena arena = Arena.ofShared();
    return new MemoryFile(
        fd,
        NativeAccess.view(address, bytes, arena, () -> MemoryCalls.unmap(address, bytes)),
        arena);
  }

  /**
   * The memory as this JVM sees it: shared, so writes show in stubs that map it at once. Valid
   * until {@link #close}.
   */
  public MemorySegment segment() {
    return segment;
  }

  /** Size in bytes, a multiple of the page size. */
  @Override
  public long size() {
    return segment.byteSize();
  }

  @Override
  void closeView() {
    try {
      arena.close();
    } catch (IllegalStateException e) {
      if (segment.scope().isAlive()) {
        throw e;
      }
    }
  }
}
