package dev.stubpool.lease;

import static dev.stubpool.lease.LeaseLayout.INT;
import static dev.stubpool.lease.LeaseLayout.LONG;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.StubState;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The state of every stub of a pool.
 *
 * <pre>
 *              tracer            any thread         any thread           tracer
 *   FORGING ------------> IDLE ------------> LEASED ------------> RESETTING
 *                          ^                                          |
 *                          +------------------------------------------+
 *   Any state ------------> DEAD (tracer). Generations go on with the slot's next stub.
 * </pre>
 *
 * <p>The diagram names the thread that makes each transition; "tracer" is the forge tracer. A
 * slot's word holds the state and a <em>generation</em>, which is incremented whenever the stub
 * becomes idle. Slot and generation identify a lease. A transition of a lease is one CAS of the
 * word, which fails for every other lease of this stub and of later stubs in this slot. So of all
 * threads that lease a stub, or give it back, exactly one succeeds.
 *
 * <p>Memory order: every transition is a volatile write or CAS of the word and follows a volatile
 * read of it. So a thread that makes a transition sees everything that was written before the
 * previous one.
 */
public final class LeaseTable {
  private final MemorySegment memory;
  private final int slots;

  /**
   * The free slots below {@link #used}, a stack. They are used first, so the table occupies few
   * pages. This and the two counts are accessed only by the tracer thread.
   */
  private int[] free = new int[0];

  private int freeCount;
  private int used;

  /** The size of a table with so many slots, in bytes. */
  public static long bytes(int slots) {
    return LeaseLayout.bytes(slots);
  }

  /**
   * Makes an empty table.
   *
   * @param memory {@link #bytes} zeros, aligned to 8 bytes
   * @param name of the pool; cut off after 224 bytes of UTF-8
   * @param filterLength of the stubs' seccomp filter, in instructions
   */
  public LeaseTable(MemorySegment memory, String name, int slots, int jvmPid, int filterLength) {
    this.memory = memory;
    this.slots = slots;
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    int length = Math.min(bytes.length, LeaseLayout.MOST_NAME_BYTES);
    while (length < bytes.length && (bytes[length] & 0xc0) == 0x80) {
      length--; // not within a character
    }
    memory.set(JAVA_INT, LeaseLayout.HEADER_VERSION, LeaseLayout.VERSION);
    memory.set(JAVA_INT, LeaseLayout.HEADER_SLOTS, slots);
    memory.set(JAVA_INT, LeaseLayout.HEADER_JVM_PID, jvmPid);
    memory.set(JAVA_INT, LeaseLayout.HEADER_FILTER_LENGTH, filterLength);
    memory.set(JAVA_INT, LeaseLayout.HEADER_NAME_LENGTH, length);
    MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, LeaseLayout.HEADER_NAME, length);
    // Last: paired with the acquire read in PublishedPool.read, whose process sees the rest then.
    LONG.setRelease(memory, LeaseLayout.HEADER_MAGIC, LeaseLayout.MAGIC);
  }

  /**
   * Assigns a slot to a new stub, in state FORGING. Tracer thread only.
   *
   * @return the slot
   * @throws IllegalStateException if no slot is free
   */
  public int claim(int pid) {
    if (freeCount == 0 && used == slots) {
      throw new IllegalStateException("all " + slots + " slots are taken");
    }
    if (freeCount == 0 && used == free.length) {
      // Grown here, so that freeing a slot needs no memory.
      free = Arrays.copyOf(free, Math.min(slots, Math.max(16, free.length * 2)));
    }
    int slot = freeCount > 0 ? free[--freeCount] : used++;
    INT.setOpaque(memory, LeaseLayout.HEADER_USED, used);
    long at = LeaseLayout.slot(slot);
    long generation = LeaseLayout.generation(word(slot));
    memory.set(JAVA_LONG, at + LeaseLayout.SLOT_SINCE, clock());
    LONG.setVolatile(
        memory, at + LeaseLayout.SLOT_WORD, LeaseLayout.word(generation, LeaseState.FORGING));
    INT.setRelease(memory, at + LeaseLayout.SLOT_PID, pid);
    return slot;
  }

  /** Frees the slot of a dead stub. Tracer thread only. */
  public void free(int slot) {
    long at = LeaseLayout.slot(slot);
    INT.setRelease(memory, at + LeaseLayout.SLOT_PID, 0);
    long generation = LeaseLayout.generation(word(slot));
    // No CAS: no other thread changes the word of a dead stub.
    LONG.setVolatile(
        memory, at + LeaseLayout.SLOT_WORD, LeaseLayout.word(generation, LeaseState.FREE));
    free[freeCount++] = slot;
  }

  /**
   * Changes FORGING or RESETTING to IDLE, under the next generation. Tracer thread only.
   *
   * @return that generation
   */
  public long makeIdle(int slot) {
    long generation = nextGeneration(slot);
    touch(slot);
    // No CAS: only the tracer thread changes these two states. Volatile, paired with the read and
    // CAS of lease, whose thread sees everything that was reset.
    LONG.setVolatile(
        memory,
        LeaseLayout.slot(slot) + LeaseLayout.SLOT_WORD,
        LeaseLayout.word(generation, LeaseState.IDLE));
    return generation;
  }

  /** The generation under which a stub becomes idle next. Tracer thread only. */
  public long nextGeneration(int slot) {
    return LeaseLayout.generation(word(slot)) + 1;
  }

  /**
   * Changes IDLE to LEASED. May be called from any thread.
   *
   * @return whether this call made the change, so that the caller has the lease
   */
  public boolean lease(int slot, long generation) {
    return change(slot, generation, LeaseState.IDLE, LeaseState.LEASED);
  }

  /**
   * Changes LEASED to RESETTING. May be called from any thread.
   *
   * @return whether this call made the change, so that the caller must return the stub to the pool
   */
  public boolean giveBack(int slot, long generation) {
    return change(slot, generation, LeaseState.LEASED, LeaseState.RESETTING);
  }

  /**
   * Changes any state to DEAD. Tracer thread only.
   *
   * @return the state before
   */
  public StubState die(int slot) {
    touch(slot);
    long at = LeaseLayout.slot(slot) + LeaseLayout.SLOT_WORD;
    long word;
    do {
      word = word(slot);
    } while (!LONG.compareAndSet(
        memory, at, word, LeaseLayout.word(LeaseLayout.generation(word), LeaseState.DEAD)));
    return LeaseState.of(word).stubState();
  }

  /** Whether the stub is idle under this generation, so that its lease can begin. */
  public boolean isIdle(int slot, long generation) {
    return word(slot) == LeaseLayout.word(generation, LeaseState.IDLE);
  }

  /** Whether the lease of this generation has begun and not ended. */
  public boolean isLeased(int slot, long generation) {
    return word(slot) == LeaseLayout.word(generation, LeaseState.LEASED);
  }

  /** The state of the stub in a slot. */
  public StubState state(int slot) {
    return LeaseState.of(word(slot)).stubState();
  }

  /** Sets the coarse clock. Tracer thread only. */
  public void tick(long nanoTime) {
    LONG.setOpaque(memory, LeaseLayout.HEADER_CLOCK, nanoTime);
  }

  /** Publishes the counts of the pool. Tracer thread only. */
  public void publish(int sourcePid, long created, long died) {
    INT.setOpaque(memory, LeaseLayout.HEADER_SOURCE_PID, sourcePid);
    LONG.setOpaque(memory, LeaseLayout.HEADER_CREATED, created);
    LONG.setOpaque(memory, LeaseLayout.HEADER_DIED, died);
  }

  /**
   * Records the time of a transition, before it is made. Benign race: threads that attempt a
   * transition of one slot at once record about the same time.
   */
  private void touch(int slot) {
    LONG.setOpaque(memory, LeaseLayout.slot(slot) + LeaseLayout.SLOT_SINCE, clock());
  }

  private long clock() {
    return (long) LONG.getOpaque(memory, LeaseLayout.HEADER_CLOCK);
  }

  private boolean change(int slot, long generation, LeaseState from, LeaseState to) {
    long expected = LeaseLayout.word(generation, from);
    if (word(slot) != expected) {
      return false; // the caller has a stale handle; no time is recorded for it
    }
    touch(slot);
    return LONG.compareAndSet(
        memory,
        LeaseLayout.slot(slot) + LeaseLayout.SLOT_WORD,
        expected,
        LeaseLayout.word(generation, to));
  }

  private long word(int slot) {
    return (long) LONG.getVolatile(memory, LeaseLayout.slot(slot) + LeaseLayout.SLOT_WORD);
  }
}
