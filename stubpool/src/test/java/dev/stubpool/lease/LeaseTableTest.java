package dev.stubpool.lease;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.StubState;
import dev.stubpool.lease.PublishedPool.PublishedStub;
import dev.stubpool.testing.Proc;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LeaseTableTest {
  private static final int SLOTS = 4;

  private final MemorySegment memory = memory(SLOTS);
  private final LeaseTable table = new LeaseTable(memory, "tested", SLOTS, 4711, 183);

  private static MemorySegment memory(int slots) {
    return MemorySegment.ofArray(new long[(int) (LeaseTable.bytes(slots) / Long.BYTES)]);
  }

  // ---- one slot ----

  @Test
  void shouldGoThroughItsStates() {
    int slot = table.claim(100);
    assertThat(table.state(slot)).isEqualTo(StubState.FORGING);
    for (long generation = 1; generation < 5; generation++) {
      assertThat(table.makeIdle(slot)).isEqualTo(generation);
      assertThat(table.state(slot)).isEqualTo(StubState.IDLE);
      assertThat(table.isLeased(slot, generation)).isFalse();
      assertThat(table.lease(slot, generation)).isTrue();
      assertThat(table.state(slot)).isEqualTo(StubState.LEASED);
      assertThat(table.isLeased(slot, generation)).isTrue();
      assertThat(table.giveBack(slot, generation)).isTrue();
      assertThat(table.state(slot)).isEqualTo(StubState.RESETTING);
      assertThat(table.isLeased(slot, generation)).isFalse();
    }
    table.die(slot);
    assertThat(table.state(slot)).isEqualTo(StubState.DEAD);
    table.free(slot);
    assertThat(table.state(slot)).as("nobody's").isEqualTo(StubState.DEAD);
  }

  @Test
  void shouldRefuseMovesThatAreNobodysToMake() {
    int slot = table.claim(100);
    assertNoMove(slot, 0);
    assertNoMove(slot, 1);
    long generation = table.makeIdle(slot);
    assertThat(table.giveBack(slot, generation)).as("before it was leased").isFalse();
    assertThat(table.lease(slot, generation - 1)).isFalse();
    assertThat(table.lease(slot, generation + 1)).isFalse();
    assertThat(table.lease(slot, generation)).isTrue();
    assertThat(table.lease(slot, generation)).as("twice").isFalse();
    assertThat(table.giveBack(slot, generation - 1)).isFalse();
    assertThat(table.giveBack(slot, generation + 1)).isFalse();
    assertThat(table.giveBack(slot, generation)).isTrue();
    assertNoMove(slot, generation);
    long next = table.makeIdle(slot);
    assertNoMove(slot, generation);
    assertThat(table.lease(slot, next)).isTrue();
    assertNoMove(slot, generation);
    table.die(slot);
    assertNoMove(slot, next);
    table.free(slot);
    assertNoMove(slot, next);
  }

  private void assertNoMove(int slot, long generation) {
    StubState before = table.state(slot);
    assertThat(table.lease(slot, generation)).isFalse();
    assertThat(table.giveBack(slot, generation)).isFalse();
    assertThat(table.isLeased(slot, generation)).isFalse();
    assertThat(table.state(slot)).isEqualTo(before);
  }

  @Test
  void shouldDieFromAnyState() {
    for (int moves = 0; moves < 4; moves++) {
      int slot = table.claim(100);
      long generation = 0;
      if (moves > 0) {
        generation = table.makeIdle(slot);
      }
      if (moves > 1) {
        assertThat(table.lease(slot, generation)).isTrue();
      }
      if (moves > 2) {
        assertThat(table.giveBack(slot, generation)).isTrue();
      }
      table.die(slot);
      assertThat(table.state(slot)).isEqualTo(StubState.DEAD);
      assertNoMove(slot, generation);
      table.free(slot);
    }
  }

  @Test
  void shouldLetOneOfManyThreadsLeaseAndOneGiveBack() throws InterruptedException {
    int threads = 4;
    int rounds = 500;
    int slot = table.claim(100);
    long[] generations = new long[rounds];
    List<AtomicInteger> leases = new ArrayList<>();
    List<AtomicInteger> returns = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      leases.add(new AtomicInteger());
      returns.add(new AtomicInteger());
    }
    AtomicInteger round = new AtomicInteger(-1);
    CountDownLatch end = new CountDownLatch(threads);
    for (int i = 0; i < threads; i++) {
      Thread.ofPlatform()
          .daemon()
          .start(
              () -> {
                int mine = -1;
                while (mine < rounds - 1) {
                  int now = round.get();
                  if (now == mine) {
                    Thread.onSpinWait();
                    continue;
                  }
                  mine = now;
                  if (table.lease(slot, generations[mine])) {
                    leases.get(mine).incrementAndGet();
                  }
                  if (table.giveBack(slot, generations[mine])) {
                    returns.get(mine).incrementAndGet();
                  }
                }
                end.countDown();
              });
    }
    for (int i = 0; i < rounds; i++) {
      generations[i] = table.makeIdle(slot);
      round.set(i);
      Proc.await("a return", () -> table.state(slot) == StubState.RESETTING);
    }
    assertThat(end.await(20, TimeUnit.SECONDS)).isTrue();
    assertThat(leases).allMatch(count -> count.get() == 1);
    assertThat(returns).allMatch(count -> count.get() == 1);
  }

  // ---- slots ----

  @Test
  void shouldUseFreedSlotsFirstAndStayDense() {
    assertThat(table.claim(100)).isZero();
    assertThat(table.claim(101)).isEqualTo(1);
    assertThat(table.claim(102)).isEqualTo(2);
    end(0);
    end(2);
    assertThat(table.claim(103)).isEqualTo(2);
    assertThat(table.claim(104)).isZero();
    assertThat(table.claim(105)).isEqualTo(3);
  }

  private void end(int slot) {
    table.die(slot);
    table.free(slot);
  }

  @Test
  void shouldSayThatAllSlotsAreTaken() {
    for (int i = 0; i < SLOTS; i++) {
      table.claim(100 + i);
    }
    assertThatThrownBy(() -> table.claim(200))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("all 4 slots are taken");
    end(1);
    assertThat(table.claim(200)).isEqualTo(1);
  }

  /** A slot's generations go on from stub to stub, so no lease of an old one is a new one's. */
  @Test
  void shouldKeepOldLeasesFromTheSlotsNextStub() {
    long last = 0;
    List<Long> old = new ArrayList<>();
    for (int stub = 0; stub < 20; stub++) {
      int slot = table.claim(100 + stub);
      assertThat(slot).isZero();
      for (int i = 0; i < 3; i++) {
        long generation = table.makeIdle(slot);
        assertThat(generation).isGreaterThan(last);
        last = generation;
        for (long stale : old) {
          assertNoMove(slot, stale);
        }
        assertThat(table.lease(slot, generation)).isTrue();
        for (long stale : old) {
          assertNoMove(slot, stale);
        }
        old.add(generation);
        if (i < 2) {
          assertThat(table.giveBack(slot, generation)).isTrue();
        }
      }
      end(slot); // leased
      assertNoMove(slot, last);
    }
  }

  @Test
  void shouldGiveASlotToOneStubAtATime() {
    int slots = 100;
    MemorySegment large = memory(slots);
    LeaseTable many = new LeaseTable(large, "many", slots, 1, 1);
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    BitSet taken = new BitSet();
    Deque<Integer> claimed = new ArrayDeque<>();
    int most = 0;
    for (int step = 0; step < 20_000; step++) {
      if (claimed.size() < slots && random.nextBoolean()) {
        int slot = many.claim(step + 1);
        assertThat(taken.get(slot)).as("seed %d", seed).isFalse();
        taken.set(slot);
        claimed.add(slot);
        most = Math.max(most, claimed.size());
        assertThat(slot).as("dense, seed %d", seed).isLessThan(most);
      } else if (!claimed.isEmpty()) {
        int slot = random.nextBoolean() ? claimed.removeFirst() : claimed.removeLast();
        many.die(slot);
        many.free(slot);
        taken.clear(slot);
      }
    }
    assertThat(PublishedPool.read(large).orElseThrow().stubs()).hasSize(claimed.size());
  }

  @Test
  void shouldTakeACacheLineAStub() {
    assertThat(LeaseTable.bytes(0)).isEqualTo(512);
    assertThat(LeaseTable.bytes(1)).isEqualTo(576);
    assertThat(LeaseTable.bytes(1_000_000)).isEqualTo(64_000_512L);
    assertThat(LeaseTable.bytes(Integer.MAX_VALUE)).isEqualTo(64L * Integer.MAX_VALUE + 512);
  }

  // ---- as others see it ----

  @Test
  void shouldPublishWhatIsThere() {
    table.tick(1_000);
    int forging = table.claim(100);
    int idle = table.claim(101);
    int leased = table.claim(102);
    int resetting = table.claim(103);
    table.tick(2_000);
    table.makeIdle(idle);
    table.makeIdle(idle); // as if it had come back
    long first = table.makeIdle(leased);
    table.tick(3_000);
    assertThat(table.lease(leased, first)).isTrue();
    table.tick(4_000);
    long generation = table.makeIdle(resetting);
    table.lease(resetting, generation);
    table.tick(5_000);
    table.giveBack(resetting, generation);
    table.publish(99, 17, 3);
    assertThat(PublishedPool.read(memory))
        .contains(
            new PublishedPool(
                "tested",
                4711,
                99,
                183,
                17,
                3,
                SLOTS,
                List.of(
                    new PublishedStub(100, StubState.FORGING, 0, 1_000),
                    new PublishedStub(101, StubState.IDLE, 2, 2_000),
                    new PublishedStub(102, StubState.LEASED, 1, 3_000),
                    new PublishedStub(103, StubState.RESETTING, 1, 5_000))));
    table.die(leased);
    assertThat(PublishedPool.read(memory).orElseThrow().stubs().get(2).state())
        .isEqualTo(StubState.DEAD);
    table.free(leased);
    table.publish(0, 17, 4);
    PublishedPool published = PublishedPool.read(memory).orElseThrow();
    assertThat(published.stubs()).extracting(PublishedStub::pid).containsExactly(100, 101, 103);
    assertThat(published.sourcePid()).isZero();
    assertThat(forging).isZero();
  }

  /** A slot's pid and word are written one after the other. */
  @Test
  void shouldPublishNoSlotThatIsOnlyHalfTaken() {
    int slot = table.claim(100);
    table.makeIdle(slot);
    memory.set(JAVA_INT, LeaseLayout.slot(slot) + LeaseLayout.SLOT_PID, 0);
    assertThat(PublishedPool.read(memory).orElseThrow().stubs()).isEmpty();
    memory.set(JAVA_INT, LeaseLayout.slot(slot) + LeaseLayout.SLOT_PID, 100);
    end(slot);
    assertThat(memory.get(JAVA_INT, LeaseLayout.slot(slot) + LeaseLayout.SLOT_PID)).isZero();
    memory.set(JAVA_INT, LeaseLayout.slot(slot) + LeaseLayout.SLOT_PID, 100);
    assertThat(PublishedPool.read(memory).orElseThrow().stubs()).isEmpty();
  }

  @Test
  void shouldPublishAnEmptyTable() {
    assertThat(PublishedPool.read(memory))
        .contains(new PublishedPool("tested", 4711, 0, 183, 0, 0, SLOTS, List.of()));
  }

  @Test
  void shouldPublishNamesOfAnyLength() {
    for (String name : new String[] {"", "x", "n".repeat(224), "h\u00e9t\u00e9rog\u00e8ne"}) {
      assertThat(publishedName(name)).isEqualTo(name);
    }
    assertThat(publishedName("n".repeat(1000))).isEqualTo("n".repeat(224));
    assertThat(publishedName("\u20ac".repeat(75))).isEqualTo("\u20ac".repeat(74)); // whole letters
  }

  private static String publishedName(String name) {
    MemorySegment memory = memory(1);
    LeaseTable table = new LeaseTable(memory, name, 1, 1, 1);
    table.claim(5);
    PublishedPool pool = PublishedPool.read(memory).orElseThrow();
    assertThat(pool.stubs()).as("behind the name").hasSize(1);
    assertThat(pool.created()).isZero();
    return pool.name();
  }

  @Test
  void shouldReadNothingFromWhatIsNoTable() {
    assertThat(PublishedPool.read(MemorySegment.ofArray(new long[0]))).isEmpty();
    assertThat(PublishedPool.read(MemorySegment.ofArray(new long[512]))).as("zeros").isEmpty();
    long header = 512;
    assertThat(PublishedPool.read(memory.asSlice(0, header - 8))).as("short header").isEmpty();
    assertThat(PublishedPool.read(memory.asSlice(0, memory.byteSize() - 8)))
        .as("a slot cut off")
        .isEmpty();
    assertThat(PublishedPool.read(memory)).isPresent();
    damage(0, (byte) 'X', "magic");
    damage(8, (byte) 2, "version");
    damage(11, (byte) 1, "version");
    damage(12, (byte) (SLOTS + 1), "more slots than memory");
    damage(15, (byte) 0x80, "negative slots");
    damage(15, (byte) 0x7f, "far too many slots");
    damage(28, (byte) 225, "a name longer than its field");
    damage(31, (byte) 0x80, "a name of negative length");
  }

  private void damage(long at, byte value, String what) {
    MemorySegment copy = memory(SLOTS).copyFrom(memory);
    copy.set(JAVA_BYTE, at, value);
    assertThat(PublishedPool.read(copy)).as(what).isEmpty();
  }

  @Test
  void shouldReadGarbageWithoutHarm() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    int tables = 0;
    for (int round = 0; round < 2_000; round++) {
      MemorySegment garbage = memory(random.nextInt(6));
      for (long at = 0; at < garbage.byteSize(); at += Long.BYTES) {
        garbage.set(JAVA_LONG, at, random.nextLong());
      }
      // As far as possible a table, so that the rest is looked at.
      MemorySegment.copy(memory, 0, garbage, 0, 12);
      if (random.nextBoolean()) {
        garbage.set(JAVA_INT, 12, random.nextInt(6));
        garbage.set(JAVA_INT, 28, random.nextInt(300) - 10);
      }
      try {
        var pool = PublishedPool.read(garbage);
        tables += pool.isPresent() ? 1 : 0;
        pool.ifPresent(
            found -> assertThat(found.name().getBytes(StandardCharsets.UTF_8)).isNotNull());
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + ", round " + round, e);
      }
    }
    assertThat(tables).as("seed %d", seed).isPositive();
  }
}
