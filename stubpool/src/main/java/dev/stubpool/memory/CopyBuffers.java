package dev.stubpool.memory;

import dev.stubpool.nativestubs.calls.Abi;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Buffers of native memory for copies: at most {@link #MOST} for the whole JVM, made when first
 * needed, each used by one call at a time.
 *
 * <p>A buffer belongs to a call from the CAS that takes it out of a slot to the CAS that puts it
 * into a slot again. It is not bound to a thread, so any number of virtual threads share the
 * buffers. The thread's number only selects the slot to try first. Lock-free: a preempted thread
 * keeps no other from its copy. When all buffers are in use, a call allocates its own and frees it
 * afterwards.
 */
public final class CopyBuffers {
  /** The size of a buffer: copies to and from the heap go in pieces of this many bytes. */
  public static final int BYTES = 64 << 10;

  /** The most buffers that are kept. */
  public static final int MOST = 16;

  private static final AtomicReferenceArray<Buffer> FREE = new AtomicReferenceArray<>(MOST);
  private static final AtomicInteger MADE = new AtomicInteger();

  private CopyBuffers() {}

  /** A buffer, to be closed by the call that took it. */
  public static final class Buffer implements AutoCloseable {
    /** Room for the I/O vectors of this process's side and the other's. */
    final MemorySegment vectors;

    /** Native memory, which the kernel can copy to and from. */
    public final MemorySegment bytes;

    /** Frees a buffer that is used only once; null for one that is kept. */
    private final @Nullable Arena arena;

    private Buffer(Arena memory, long ranges, long bytes, @Nullable Arena arena) {
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
   * Takes a free buffer, or allocates one that is just large enough.
   *
   * @param ranges how many ranges of the other process the copy has; room for {@link Abi#IOV_MAX}
   *     suffices for more
   * @param bytes how many bytes of the Java heap are copied; {@link #BYTES} suffice for more
   */
  public static Buffer take(long ranges, long bytes) {
    int first = firstSlot();
    for (int i = 0; i < MOST; i++) {
      int slot = (first + i) % MOST;
      Buffer buffer = FREE.get(slot);
      if (buffer != null && FREE.compareAndSet(slot, buffer, null)) {
        return buffer;
      }
    }
    if (MADE.get() < MOST && MADE.incrementAndGet() <= MOST) {
      try {
        return new Buffer(Arena.global(), Abi.IOV_MAX, BYTES, null);
      } catch (Error e) {
        MADE.decrementAndGet(); // OutOfMemoryError: a later call makes it
        throw e;
      }
    }
    Arena arena = Arena.ofConfined();
    return new Buffer(arena, Math.min(ranges, Abi.IOV_MAX), Math.min(bytes, BYTES), arena);
  }

  private static int firstSlot() {
    return (int) (Thread.currentThread().threadId() % MOST);
  }

  /** Ends: there are as many slots as buffers, so some slot is free at any time. */
  private static void putBack(Buffer buffer) {
    int slot = firstSlot();
    while (FREE.get(slot) != null || !FREE.compareAndSet(slot, null, buffer)) {
      slot = (slot + 1) % MOST;
    }
  }

  /** How many buffers are free. */
  public static int free() {
    int free = 0;
    for (int slot = 0; slot < MOST; slot++) {
      free += FREE.get(slot) == null ? 0 : 1;
    }
    return free;
  }

  /** How many buffers were made to be kept. */
  public static int made() {
    return Math.min(MADE.get(), MOST);
  }
}
