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

/**
 * A pool as another process sees it, at about one moment: its {@link LeaseTable}, read.
 *
 * @param name the pool's name
 * @param jvmPid the JVM, in its own pid namespace, as all pids here
 * @param sourcePid the source stub, 0 if there is none
 * @param filterInstructions length of the stubs' seccomp filter
 * @param created stubs made since the pool was opened
 * @param died stubs that died of their own
 * @param maxStubs how many the table has room for
 * @param stubs the living
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

  /** Looks at a slot that changes all the while. */
  private static final int MOST_TRIES = 1000;

  /**
   * A stub of a published pool.
   *
   * @param pid its process
   * @param state what it is doing
   * @param generation how often it became idle: the lease under way, or the next, has this number
   * @param since when the lease began or the stub came back, by {@link System#nanoTime}; early by
   *     up to about 1 s, as the pool's clock moves only when its tracer wakes
   */
  public record PublishedStub(int pid, StubState state, long generation, long since) {}

  /**
   * Reads a table.
   *
   * @param memory the whole file, mapped read-only
   * @return empty if it is none, or one of another version
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
   * The stub in a slot, or null. A dead stub's slot goes to another: what is read between two looks
   * at the word that see the same belongs together, for no two stubs are idle, leased or reset
   * under one generation.
   */
  private static PublishedStub stub(MemorySegment memory, long at) {
    for (int tries = 0; tries < MOST_TRIES; tries++) {
      long word = (long) LONG.getVolatile(memory, at + LeaseLayout.SLOT_WORD);
      int pid = (int) INT.getAcquire(memory, at + LeaseLayout.SLOT_PID);
      long since = (long) LONG.getAcquire(memory, at + LeaseLayout.SLOT_SINCE);
      if ((long) LONG.getVolatile(memory, at + LeaseLayout.SLOT_WORD) == word) {
        return pid == 0 || LeaseLayout.state(word) == LeaseLayout.FREE
            ? null
            : new PublishedStub(
                pid, LeaseLayout.stubState(word), LeaseLayout.generation(word), since);
      }
    }
    return null; // changes faster than it can be read
  }
}
