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
 * The state of every stub of a pool, and whose turn it is to change it.
 *
 * <pre>
 *              tracer            any thread         any thread           tracer
 *   FORGING ------------> IDLE ------------> LEASED ------------> RESETTING
 *                          ^                                          |
 *                          +------------------------------------------+
 *   DEAD from any, by the tracer, for ever: the slot's next stub goes on with the generation.
 * </pre>
 *
 * <p>A slot's word holds state and <em>generation</em>, which grows whenever the stub becomes idle.
 * So a lease is named by slot and generation, and each of its moves is one CAS that fails for any
 * other lease of this stub or of a later one in this slot: of all threads that take a stub, one
 * gets it, and of all that give it back, one does.
 *
 * <p>Memory order: every move is a CAS with the effects of a volatile access, so what was written
 * to the stub before a move is seen by who makes the next.
 */
public final class LeaseTable {
  private final MemorySegment memory;
  private final int slots;

  /** Free slots, a stack: the table stays dense, so its pages stay few. The tracer's alone. */
  private int[] free = new int[0];

  private int freeCount;
  private int used;

  /** How many bytes a table takes. */
  public static long bytes(int slots) {
    return LeaseLayout.bytes(slots);
  }

  /**
   * Makes an empty table.
   *
   * @param memory {@link #bytes} zeros, aligned to 8 bytes
   */
  public LeaseTable(MemorySegment memory, String name, int slots, int jvmPid, int filterLength) {
    this.memory = memory;
    this.slots = slots;
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    int length = Math.min(bytes.length, LeaseLayout.MOST_NAME_BYTES);
    while (length < bytes.length && (bytes[length] & 0xc0) == 0x80) {
      length--; // not in the middle of a letter
    }
    memory.set(JAVA_INT, LeaseLayout.HEADER_VERSION, LeaseLayout.VERSION);
    memory.set(JAVA_INT, LeaseLayout.HEADER_SLOTS, slots);
    memory.set(JAVA_INT, LeaseLayout.HEADER_JVM_PID, jvmPid);
    memory.set(JAVA_INT, LeaseLayout.HEADER_FILTER_LENGTH, filterLength);
    memory.set(JAVA_INT, LeaseLayout.HEADER_NAME_LENGTH, length);
    MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, LeaseLayout.HEADER_NAME, length);
    // Last: a reader that sees it sees the rest (pairs with PublishedPool's acquire).
    LONG.setRelease(memory, LeaseLayout.HEADER_MAGIC, LeaseLayout.MAGIC);
  }

  /**
   * Gives a slot to a new stub, FORGING. Tracer only.
   *
   * @throws IllegalStateException if all are taken
   */
  public int claim(int pid) {
    if (freeCount == 0 && used == slots) {
      throw new IllegalStateException("all " + slots + " slots are taken");
    }
    if (freeCount == 0 && used == free.length) {
      // For when the slots are given back, which is not to need memory.
      free = Arrays.copyOf(free, Math.min(slots, Math.max(16, free.length * 2)));
    }
    int slot = freeCount > 0 ? free[--freeCount] : used++;
    INT.setOpaque(memory, LeaseLayout.HEADER_USED, used);
    long at = LeaseLayout.slot(slot);
    long generation = LeaseLayout.generation(word(slot));
    memory.set(JAVA_LONG, at + LeaseLayout.SLOT_SINCE, clock());
    LONG.setVolatile(
        memory, at + LeaseLayout.SLOT_WORD, LeaseLayout.word(generation, LeaseLayout.FORGING));
    INT.setRelease(memory, at + LeaseLayout.SLOT_PID, pid);
    return slot;
  }

  /** Takes a dead stub's slot back. Tracer only. */
  public void free(int slot) {
    long at = LeaseLayout.slot(slot);
    INT.setRelease(memory, at + LeaseLayout.SLOT_PID, 0);
    long generation = LeaseLayout.generation(word(slot));
    // Dead is left by nobody else.
    LONG.setVolatile(
        memory, at + LeaseLayout.SLOT_WORD, LeaseLayout.word(generation, LeaseLayout.FREE));
    free[freeCount++] = slot;
  }

  /**
   * FORGING or RESETTING to IDLE, under the next generation. Tracer only.
   *
   * @return that generation
   */
  public long shelve(int slot) {
    long generation = nextGeneration(slot);
    touch(slot);
    // No CAS: only the tracer leaves these two states. Ordered, for who leases sees what was reset.
    LONG.setVolatile(
        memory,
        LeaseLayout.slot(slot) + LeaseLayout.SLOT_WORD,
        LeaseLayout.word(generation, LeaseLayout.IDLE));
    return generation;
  }

  /** The generation under which a stub becomes idle next. Tracer only. */
  public long nextGeneration(int slot) {
    return LeaseLayout.generation(word(slot)) + 1;
  }

  /** IDLE to LEASED; whether it was this caller who got it. Any thread. */
  public boolean lease(int slot, long generation) {
    return move(slot, generation, LeaseLayout.IDLE, LeaseLayout.LEASED);
  }

  /** LEASED to RESETTING; whether it was this caller who gave it back. Any thread. */
  public boolean giveBack(int slot, long generation) {
    return move(slot, generation, LeaseLayout.LEASED, LeaseLayout.RESETTING);
  }

  /**
   * Any state to DEAD. Tracer only.
   *
   * @return the state that it left
   */
  public StubState die(int slot) {
    touch(slot);
    long at = LeaseLayout.slot(slot) + LeaseLayout.SLOT_WORD;
    long word;
    do {
      word = word(slot);
    } while (!LONG.compareAndSet(
        memory, at, word, LeaseLayout.word(LeaseLayout.generation(word), LeaseLayout.DEAD)));
    return LeaseLayout.stubState(word);
  }

  /** Whether the lease of this generation has not begun, and still can. */
  public boolean isIdle(int slot, long generation) {
    return word(slot) == LeaseLayout.word(generation, LeaseLayout.IDLE);
  }

  /** Whether this lease lasts. */
  public boolean isLeased(int slot, long generation) {
    return word(slot) == LeaseLayout.word(generation, LeaseLayout.LEASED);
  }

  /** What the stub in a slot is doing. */
  public StubState state(int slot) {
    return LeaseLayout.stubState(word(slot));
  }

  /** Moves the coarse clock on. Tracer only. */
  public void tick(long nanoTime) {
    LONG.setOpaque(memory, LeaseLayout.HEADER_CLOCK, nanoTime);
  }

  /** Publishes counts. Tracer only. */
  public void publish(int sourcePid, long created, long died) {
    INT.setOpaque(memory, LeaseLayout.HEADER_SOURCE_PID, sourcePid);
    LONG.setOpaque(memory, LeaseLayout.HEADER_CREATED, created);
    LONG.setOpaque(memory, LeaseLayout.HEADER_DIED, died);
  }

  /**
   * Notes the time of a move, before it. Benign race: those who try to move a slot at once note
   * about the same time.
   */
  private void touch(int slot) {
    LONG.setOpaque(memory, LeaseLayout.slot(slot) + LeaseLayout.SLOT_SINCE, clock());
  }

  private long clock() {
    return (long) LONG.getOpaque(memory, LeaseLayout.HEADER_CLOCK);
  }

  private boolean move(int slot, long generation, int from, int to) {
    long expected = LeaseLayout.word(generation, from);
    if (word(slot) != expected) {
      return false; // a stale handle's: no time to note
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
