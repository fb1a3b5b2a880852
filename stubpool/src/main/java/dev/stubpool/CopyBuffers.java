package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Native memory for copies: a few buffers for the whole JVM, made when first needed, and each lent
 * to one call at a time.
 *
 * <p>A buffer belongs to the call that took it out of its slot until that puts it into another,
 * both by CAS, whatever thread it is on: virtual threads may be as many as they like, and change
 * their carriers. The thread's number only tells where to look first. Nobody waits for a thread
 * that is preempted. When more calls are under way than there are buffers, the others allocate and
 * free their own.
 */
final class CopyBuffers {
  /** Bytes that a copy takes by way of a buffer at a time. */
  static final int BYTES = 64 << 10;

  /** The most buffers that are kept. */
  static final int MOST = 16;

  private static final AtomicReferenceArray<Buffer> FREE = new AtomicReferenceArray<>(MOST);
  private static final AtomicInteger MADE = new AtomicInteger();

  private CopyBuffers() {}

  /** To be closed by the call that took it. */
  static final class Buffer implements AutoCloseable {
    /** Room for the I/O vectors of this process's side and the other's. */
    final MemorySegment vectors;

    /** Bytes that the kernel can reach. */
    final MemorySegment bytes;

    /** Frees a buffer that is not kept; null for one that is. */
    private final Arena arena;

    private Buffer(Arena memory, long ranges, long bytes, Arena arena) {
      this.vectors = memory.allocate((1 + ranges) * Abi.IOVEC_SIZE, Long.BYTES);
      this.bytes = memory.allocate(bytes, Long.BYTES);
      this.arena = arena;
    }

    @Override
    public void close() {
      if (arena == null) {
        putBack(this);
      } else {
        arena.close();
      }
    }
  }

  /**
   * Takes a buffer, or makes one that is just large enough.
   *
   * @param ranges of the other process that a call will name at a time, at most {@link Abi#IOV_MAX}
   *     are needed
   * @param bytes of this process that have to be copied by way of it, at most {@link #BYTES} are
   *     needed
   */
  static Buffer take(long ranges, long bytes) {
    int first = firstSlot();
    for (int i = 0; i < MOST; i++) {
      int slot = (first + i) % MOST;
      Buffer buffer = FREE.get(slot);
      if (buffer != null && FREE.compareAndSet(slot, buffer, null)) {
        return buffer;
      }
    }
    if (MADE.get() < MOST && MADE.incrementAndGet() <= MOST) {
      return new Buffer(Arena.global(), Abi.IOV_MAX, BYTES, null);
    }
    Arena arena = Arena.ofConfined();
    return new Buffer(arena, Math.min(ranges, Abi.IOV_MAX), Math.min(bytes, BYTES), arena);
  }

  private static int firstSlot() {
    return (int) (Thread.currentThread().threadId() % MOST);
  }

  /** There are as many slots as buffers: one is free, wherever others move theirs meanwhile. */
  private static void putBack(Buffer buffer) {
    int slot = firstSlot();
    while (FREE.get(slot) != null || !FREE.compareAndSet(slot, null, buffer)) {
      slot = (slot + 1) % MOST;
    }
  }

  /** How many lie ready. */
  static int free() {
    int free = 0;
    for (int slot = 0; slot < MOST; slot++) {
      free += FREE.get(slot) == null ? 0 : 1;
    }
    return free;
  }

  /** How many there are. */
  static int made() {
    return Math.min(MADE.get(), MOST);
  }
}
