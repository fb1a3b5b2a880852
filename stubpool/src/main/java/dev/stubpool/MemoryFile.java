package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.FileCalls;
import dev.stubpool.nativestubs.MemoryCalls;
import dev.stubpool.nativestubs.NativeAccess;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * Memory that this JVM and stubs can both map: a memfd of a fixed size, memfd_create(2). Starts as
 * zeros.
 */
public final class MemoryFile extends Mappable {
  private static final long LARGEST = Long.MAX_VALUE - Long.MAX_VALUE % AddressSpace.PAGE_SIZE;

  /** How long close waits for calls that use the segment. */
  private static final long CLOSE_NANOS = Duration.ofSeconds(1).toNanos();

  private final MemorySegment segment;
  private final Arena arena;

  private MemoryFile(int fd, MemorySegment segment, Arena arena) {
    super("memory file of " + segment.byteSize() + " bytes", fd, true);
    this.segment = segment;
    this.arena = arena;
  }

  static MemoryFile create(long size) {
    if (size <= 0 || size > LARGEST) {
      throw new IllegalArgumentException(
          "size is " + size + ", must be positive" + (size > 0 ? ", at most " + LARGEST : ""));
    }
    long bytes = Math.ceilDiv(size, AddressSpace.PAGE_SIZE) * AddressSpace.PAGE_SIZE;
    String step = "making a memory file of " + bytes + " bytes";
    int fd =
        (int)
            SystemCallException.check(
                MemoryCalls.memoryFile("stubpool-memory"), "memfd_create", step);
    try {
      SystemCallException.check(MemoryCalls.resize(fd, bytes), "ftruncate", step);
      SystemCallException.check(
          MemoryCalls.seal(fd, Abi.SEALS_OF_A_MEMORY_FILE), "fcntl(F_ADD_SEALS)", step);
      long address = SystemCallException.check(MemoryCalls.mapFile(fd, bytes), "mmap", step);
      Arena arena = Arena.ofShared();
      return new MemoryFile(
          fd,
          NativeAccess.view(address, bytes, arena, () -> MemoryCalls.unmap(address, bytes)),
          arena);
    } catch (RuntimeException e) {
      FileCalls.close(fd);
      throw e;
    }
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

  /**
   * Waits a while for calls that use the segment in other threads, which mostly last microseconds.
   */
  @Override
  void closeView() {
    long start = System.nanoTime();
    while (segment.scope().isAlive()) {
      try {
        arena.close();
      } catch (IllegalStateException e) {
        if (segment.scope().isAlive() && System.nanoTime() - start > CLOSE_NANOS) {
          throw new IllegalStateException(
              this + " cannot be closed while a call of another thread uses its segment", e);
        }
        Thread.yield();
      }
    }
  }
}
