package dev.stubpool.memory;

import dev.stubpool.AddressSpace;
import dev.stubpool.MemoryFile;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.FileCalls;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.calls.NativeAccess;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/** The implementation of {@link MemoryFile}: a memfd and this JVM's own mapping of it. */
public final class Memfd extends MappableFile implements MemoryFile {
  private static final long LARGEST = Long.MAX_VALUE - Long.MAX_VALUE % AddressSpace.PAGE_SIZE;

  /** How long {@link #close} waits for calls of other threads that use the segment. */
  private static final long CLOSE_NANOS = Duration.ofSeconds(1).toNanos();

  private final MemorySegment segment;
  private final Arena arena;

  /** Maps a memfd of {@code bytes} bytes. If that fails, the descriptor stays the caller's. */
  private Memfd(int fd, long bytes, String step) {
    super("memory file of " + bytes + " bytes", fd, true);
    this.arena = Arena.ofShared();
    long address = Failures.check(MemoryCalls.mapFile(fd, bytes), "mmap", step);
    try {
      this.segment =
          NativeAccess.view(address, bytes, arena, () -> MemoryCalls.unmap(address, bytes));
    } catch (RuntimeException | Error e) {
      MemoryCalls.unmap(address, bytes);
      throw e;
    }
  }

  /**
   * Makes a memory file.
   *
   * @param size in bytes; rounded up to whole pages
   * @throws dev.stubpool.SystemCallException if the kernel refuses it
   * @throws IllegalArgumentException if the size is not positive, or too large
   */
  public static Memfd create(long size) {
    if (size <= 0 || size > LARGEST) {
      throw new IllegalArgumentException(
          "size is " + size + ", must be positive" + (size > 0 ? ", at most " + LARGEST : ""));
    }
    long bytes = Math.ceilDiv(size, AddressSpace.PAGE_SIZE) * AddressSpace.PAGE_SIZE;
    String step = "making a memory file of " + bytes + " bytes";
    int fd = (int) Failures.check(MemoryCalls.memoryFile("stubpool-memory"), "memfd_create", step);
    try {
      Failures.check(MemoryCalls.resize(fd, bytes), "ftruncate", step);
      Failures.check(MemoryCalls.seal(fd, Abi.SEALS_OF_A_MEMORY_FILE), "fcntl(F_ADD_SEALS)", step);
      return new Memfd(fd, bytes, step);
    } catch (RuntimeException | Error e) {
      FileCalls.close(fd);
      throw e;
    }
  }

  @Override
  public MemorySegment segment() {
    return segment;
  }

  @Override
  public long size() {
    return segment.byteSize();
  }

  /**
   * Unmaps the segment, then closes the descriptor. Waits up to {@link #CLOSE_NANOS} for calls of
   * other threads that use the segment; most of them last microseconds.
   */
  @Override
  public void close() {
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
    super.close();
  }
}
