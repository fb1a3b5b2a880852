package dev.stubpool.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.testing.Effort;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class IdleStubsTest {
  private static final int PUSHES = Effort.cases(1_000_000, 20_000_000);

  private final IdleStubs idle = new IdleStubs();

  private static Lease stub(long number) {
    return new Lease(null, null, number);
  }

  @Test
  void shouldGiveWhoCameLast() {
    Lease first = stub(1);
    Lease second = stub(2);
    idle.push(first);
    idle.push(second);

    assertThat(idle.pop()).isSameAs(second);
    assertThat(second.below).as("a leased handle keeps no other alive").isNull();
    assertThat(idle.pop()).isSameAs(first);
    assertThat(idle.pop()).isNull();
  }

  @Test
  void shouldUnlinkStaleHandlesWhereverTheyLie() {
    for (int stale = 0; stale < 1 << 6; stale++) {
      IdleStubs some = new IdleStubs();
      for (int number = 0; number < 6; number++) {
        some.push(stub(number));
      }
      int which = stale;
      some.unlink(stub -> (which & 1 << stub.generation()) != 0);
      for (int number = 5; number >= 0; number--) {
        if ((which & 1 << number) == 0) {
          assertThat(some.pop().generation()).as("stale: 0x%x", which).isEqualTo(number);
        }
      }
      assertThat(some.pop()).as("stale: 0x%x", which).isNull();
    }
  }

  @Test
  void shouldHoldNothingOnceCleared() {
    idle.push(stub(1));
    idle.clear();
    assertThat(idle.pop()).isNull();
  }

  /**
   * One pushes, and now and then claims some where they lie and unlinks them, as the tracer does;
   * the others take. Whoever removes a number from {@code seen} has won it.
   */
  @Test
  void shouldGiveEachOnceToOneOfMany() throws Exception {
    Map<Long, Boolean> seen = new ConcurrentHashMap<>();
    AtomicBoolean pushed = new AtomicBoolean();
    try (ExecutorService takers = Executors.newFixedThreadPool(3)) {
      List<Future<Long>> counts = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        counts.add(
            takers.submit(
                () -> {
                  long count = 0;
                  while (true) {
                    boolean last = pushed.get();
                    Lease stub = idle.pop();
                    if (stub != null) {
                      count += seen.remove(stub.generation()) == null ? 0 : 1;
                    } else if (last) {
                      return count;
                    }
                  }
                }));
      }
      long taken = 0;
      for (long number = 0; number < PUSHES; number++) {
        seen.put(number, true);
        idle.push(stub(number));
        if (number % 16 == 0) {
          for (long claimed = Math.max(0, number - 20); claimed < number; claimed += 2) {
            taken += seen.remove(claimed) == null ? 0 : 1;
          }
          idle.unlink(stub -> !seen.containsKey(stub.generation()));
        }
      }
      pushed.set(true);
      for (Future<Long> count : counts) {
        taken += count.get(1, TimeUnit.MINUTES);
      }
      assertThat(taken).isEqualTo(PUSHES);
      assertThat(seen).isEmpty();
    }
  }
}
