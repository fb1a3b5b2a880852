package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.support.Internals;
import dev.stubpool.testing.Proc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Deaths that no caller runs into are noticed soon, whatever else has died. */
class SweepIT {
  @Test
  void shouldNoticeADeathSoonAfterManyDied() {
    int stubs = 2_000;
    try (StubPool pool = open(stubs)) {
      List<Stub> all = acquire(pool, stubs);
      List<Integer> pids = all.stream().map(Stub::pid).toList();
      all.forEach(Stub::close);
      Proc.await("all idle", () -> pool.stats().idle() == stubs);
      int left = 2;
      for (int i = left; i < stubs; i++) {
        kill(pids.get(i));
      }
      Proc.await("most dead", () -> pool.stats().total() == left);
      kill(pids.getFirst());
      Proc.await("one more dead", () -> pool.stats().total() == left - 1);
      // Dead ones leave the idle once all are counted.
      Proc.await("one idle", () -> pool.stats().idle() == left - 1);
    }
    assertThat(Proc.stubs()).isEmpty();
  }

  /** As by who copies from a file that does not come. */
  @Test
  void shouldNoticeDeathsBesideOneThatIsHeld() {
    try (StubPool pool = open(8)) {
      List<Stub> all = acquire(pool, 8);
      int source = pool.sourcePid();
      Stub oldest = all.getFirst();
      Tracee held = Internals.process(oldest).tracee;
      assertThat(held.hold()).isTrue();
      try {
        kill(oldest.pid());
        Proc.await("its death", () -> oldest.state() == StubState.DEAD);
        for (Stub stub : all.subList(1, 8)) {
          kill(stub.pid());
        }
        kill(source);
        Proc.await("their deaths", () -> pool.stats().total() == 0);
        Proc.await("the source's death", () -> pool.sourcePid() == 0);
        assertThat(Proc.stubs()).containsExactly(oldest.pid()); // dead, and not anybody else's pid
        assertThat(pool.stats().unreaped()).isEqualTo(1);
      } finally {
        held.release();
      }
      Proc.await("nobody left", () -> Proc.stubs().isEmpty());
      Proc.await("nobody unreaped", () -> pool.stats().unreaped() == 0);
    }
  }

  /** No snapshot shows a process that is neither a stub nor unreaped. */
  @Test
  @Timeout(60)
  void shouldCountWhatIsNotReapedBeforeItIsNoStub() {
    try (StubPool pool = open(1)) {
      for (int round = 0; round < 10; round++) {
        Stub stub = pool.acquire(Duration.ofSeconds(20));
        Tracee held = Internals.process(stub).tracee;
        assertThat(held.hold()).isTrue();
        try {
          kill(stub.pid());
          StubPoolStats stats;
          do {
            stats = pool.stats();
          } while (stats.total() > 0);
          assertThat(stats.unreaped()).isEqualTo(1);
        } finally {
          held.release();
        }
        Proc.await("nobody unreaped", () -> pool.stats().unreaped() == 0);
      }
    }
  }

  /** Nobody looks for the dead when the pool is closed. */
  @Test
  void shouldLeaveNobodyBehindWhoWasHeldWhenThePoolClosed() throws InterruptedException {
    StubPool pool = open(8);
    List<Stub> all = acquire(pool, 8);
    Stub stub = all.get(3);
    Tracee held = Internals.process(stub).tracee;
    assertThat(held.hold()).isTrue();
    Thread closing = Thread.ofPlatform().start(pool::close);
    try {
      Proc.await("its death", () -> stub.state() == StubState.DEAD);
      Proc.await("the others' end", () -> Proc.stubs().equals(List.of(stub.pid())));
    } finally {
      held.release();
    }
    closing.join();
    assertThat(Proc.stubs()).isEmpty();
  }

  private static StubPool open(int stubs) {
    return StubPool.open(
        StubPoolOptions.builder()
            .name("swept")
            .minIdle(0)
            .maxStubs(stubs)
            .idleTimeout(Duration.ofDays(1))
            .build());
  }

  private static List<Stub> acquire(StubPool pool, int count) {
    List<Stub> stubs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      stubs.add(pool.acquire(Duration.ofSeconds(20)));
    }
    return stubs;
  }

  private static void kill(int pid) {
    assertThat(ChaosKiller.send(pid, Abi.SIGKILL)).isTrue();
  }
}
