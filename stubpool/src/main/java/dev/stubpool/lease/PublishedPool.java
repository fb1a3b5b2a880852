package dev.stubpool.lease;

import static dev.stubpool.lease.LeaseLayout.INT;
import static dev.stubpool.lease.LeaseLayout.LONG;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.stubpool.StubState;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot of a pool's {@link LeaseTable}, as another process reads it. Each stub's entry is
 * consistent; different stubs are read at slightly different times.
 *
 * @param name the pool's name
 * @param jvmPid the pid of the JVM; like all pids here in the pid namespace of the JVM
 * @param sourcePid the pid of the source stub, 0 if there is none
 * @param filterInstructions length of the stubs' seccomp filter
 * @param created the number of stubs made since the pool was opened
 * @param died the number of stubs that died and were not discarded by the pool
 * @param maxStubs the number of slots of the table
 * @param stubs the stubs that are alive
 */
public record PublishedPool(
    String name,
    int jvmPid,
    int sourcePid,
    int filterInstructions,
    long created,
    long died,
    int maxStubs,
    List<PublishedStub> stubs) {

  /** How often a slot that changes all the time is read before it is skipped. */
  private static final int MOST_TRIES = 1000;

  /**
   * A stub of a published pool.
   *
   * @param pid the pid of its process
   * @param state what the process is doing
   * @param generation the number of the present lease, or of the next one if the stub is idle
   * @param since when the stub came into this state, by {@link System#nanoTime}; up to about 1 s
   *     too early, since the pool's clock advances only when its tracer thread is awake
   */
  public record PublishedStub(int pid, StubState state, long generation, long since) {}

  /**
   * Reads a table.
   *
   * @param memory the whole file, mapped read-only or copied
   * @return empty if the memory is no lease table, or one of another version
   */
  public static Optional<PublishedPool> read(MemorySegment memory) {
    if (memory.byteSize() < LeaseLayout.HEADER_BYTES
        || (long) LONG.getAcquire(memory, LeaseLayout.HEADER_MAGIC) != LeaseLayout.MAGIC
        || memory.get(JAVA_INT, LeaseLayout.HEADER_VERSION) != LeaseLayout.VERSION) {
      return Optional.empty();
    }
    int slots = memory.get(JAVA_INT, LeaseLayout.HEADER_SLOTS);
    int nameLength = memory.get(JAVA_INT, LeaseLayout.HEADER_NAME_LENGTH);
    if (slots < 0
        || memory.byteSize() < LeaseLayout.bytes(slots)
        || nameLength < 0
        || nameLength > LeaseLayout.MOST_NAME_BYTES) {
      return Optional.empty();
    }
    byte[] name = memory.asSlice(LeaseLayout.HEADER_NAME, nameLength).toArray(JAVA_BYTE);
    int used = (int) INT.getOpaque(memory, LeaseLayout.HEADER_USED);
    List<PublishedStub> stubs = new ArrayList<>();
    for (int i = 0; i < slots && i < used; i++) {
      PublishedStub stub = stub(memory, LeaseLayout.slot(i));
      if (stub != null) {
        stubs.add(stub);
      }
    }
    return Optional.of(
        new PublishedPool(
            new String(name, StandardCharsets.UTF_8),
            memory.get(JAVA_INT, LeaseLayout.HEADER_JVM_PID),
            (int) INT.getOpaque(memory, LeaseLayout.HEADER_SOURCE_PID),
            memory.get(JAVA_INT, LeaseLayout.HEADER_FILTER_LENGTH),
            (long) LONG.getOpaque(memory, LeaseLayout.HEADER_CREATED),
            (long) LONG.getOpaque(memory, LeaseLayout.HEADER_DIED),
            slots,
            List.copyOf(stubs)));
  }

  /**
   * The stub in a slot, or null if the slot is free. The slot of a dead stub is reused, so the word
   * is read before and after pid and time. If both reads return the same word, pid and time belong
   * to it: no two stubs are idle, leased or resetting under the same generation.
   */
  private static @Nullable PublishedStub stub(MemorySegment memory, long at) {
    for (int tries = 0; tries < MOST_TRIES; tries++) {
      long word = (long) LONG.getVolatile(memory, at + LeaseLayout.SLOT_WORD);
      int pid = (int) INT.getAcquire(memory, at + LeaseLayout.SLOT_PID);
      long since = (long) LONG.getAcquire(memory, at + LeaseLayout.SLOT_SINCE);
      if ((long) LONG.getVolatile(memory, at + LeaseLayout.SLOT_WORD) == word) {
        return pid == 0 || LeaseState.of(word) == LeaseState.FREE
            ? null
            : new PublishedStub(
                pid, LeaseState.of(word).stubState(), LeaseLayout.generation(word), since);
      }
    }
    return null; // the slot changes faster than it can be read
  }
}
