package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

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
  private static final int PUSHES = Boolean.getBoolean("stubpool.proof") ? 20_000_000 : 1_000_000;

  private final IdleStubs idle = new IdleStubs();

  private static Stub stub(long number) {
    return new Stub(null, null, number);
  }

  @Test
  void shouldGiveWhoCameLast() {
    Stub first = stub(1);
    Stub second = stub(2);
    idle.push(first);
    idle.push(second);

    assertThat(idle.size()).isEqualTo(2);
    assertThat(idle.pop()).isSameAs(second);
    assertThat(second.below).as("a leased handle keeps no other alive").isNull();
    assertThat(idle.pop()).isSameAs(first);
    assertThat(idle.pop()).isNull();
    assertThat(idle.size()).isZero();
  }

  @Test
  void shouldGiveAll() {
    Stub first = stub(1);
    Stub second = stub(2);
    idle.push(first);
    idle.push(second);

    assertThat(idle.popAll()).isSameAs(second);
    assertThat(second.below).isSameAs(first);
    assertThat(first.below).isNull();
    assertThat(idle.pop()).isNull();
    assertThat(idle.popAll()).isNull();
    assertThat(idle.size()).isZero();
  }

  /** One pushes, as the tracer does, and now and then takes all; the others take. */
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
                    Stub stub = idle.pop();
                    if (stub != null) {
                      assertThat(seen.remove(stub.generation())).isTrue();
                      count++;
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
        if (number % 1000 == 0) {
          for (Stub stub = idle.popAll(); stub != null; stub = stub.below) {
            assertThat(seen.remove(stub.generation())).isTrue();
            taken++;
          }
        }
      }
      pushed.set(true);
      for (Future<Long> count : counts) {
        taken += count.get(1, TimeUnit.MINUTES);
      }
      assertThat(taken).isEqualTo(PUSHES);
      assertThat(seen).isEmpty();
      assertThat(idle.size()).isZero();
    }
  }
}
