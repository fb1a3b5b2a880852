package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.pool.Supply;
import dev.stubpool.testing.Logs;
import dev.stubpool.testing.Proc;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Leases whose holders forgot them, on the real kernel. */
class LeakIT {
  private static final long SOMEWHERE = 0x1000_0000L;
  private static final long PAGE = AddressSpace.PAGE_SIZE;

  private final StubPool pool = open(true);

  private static StubPool open(boolean leakTraces) {
    return StubPool.open(
        StubPoolOptions.builder()
            .name("leaky")
            .minIdle(0)
            .maxStubs(2)
            .leakTraces(leakTraces)
            .build());
  }

  @AfterEach
  void close() {
    pool.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  /** Waits until the pool has noticed so many lost leases, and said so. */
  private static void collect(StubPool pool, Logs logs, long lost) {
    Proc.await(
        "the garbage collector",
        () -> {
          System.gc();
          return pool.stats().lost() >= lost && warnings(logs) >= lost;
        });
    assertThat(pool.stats().lost()).isEqualTo(lost);
  }

  private static long warnings(Logs logs) {
    return logs.lines().stream().filter(line -> line.startsWith("WARN ")).count();
  }

  private static int loseNew(StubPool pool) {
    Stub stub = pool.acquire(Duration.ofSeconds(20));
    stub.memory().mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
    return stub.pid();
  }

  private static int loseIdle(StubPool pool) {
    return pool.tryAcquire().pid();
  }

  @Test
  void shouldTakeBackWhatWasLostAndSayWhereItWasAcquired() {
    try (Logs logs = new Logs(Supply.class)) {
      int pid = loseNew(pool);
      collect(pool, logs, 1);
      assertThat(logs.lines())
          .startsWith(
              "WARN pool leaky: the lease of stub "
                  + pid
                  + " was never closed, and its handle is garbage: taken back",
              "acquired here, by " + Thread.currentThread())
          .contains("at dev.stubpool.pool.Pool.acquire", "at dev.stubpool.LeakIT.loseNew");
      Proc.await("its return", () -> pool.stats().idle() == 1);
      assertThat(pool.stats().recycled()).isEqualTo(1);
      assertThat(IdleStubIT.mappingsBesidesTheImage(pool, pid)).isEmpty();

      // An idle stub is acquired on another way, and traced there too.
      assertThat(loseIdle(pool)).isEqualTo(pid);
      collect(pool, logs, 2);
      assertThat(logs.lines())
          .contains("at dev.stubpool.pool.Pool.tryAcquire", "at dev.stubpool.LeakIT.loseIdle");
      Proc.await("its return", () -> pool.stats().idle() == 1);
      try (Stub next = pool.acquire()) {
        assertThat(next.pid()).isEqualTo(pid);
        assertThat(next.syscall(Abi.SYS_getpid)).isEqualTo(pid);
      }
      assertThat(pool.stats().died() + pool.stats().discarded()).isZero();
    }
  }

  @Test
  void shouldSayHowToLearnWhereItWasAcquired() {
    try (StubPool untraced = open(false);
        Logs logs = new Logs(Supply.class)) {
      int pid = loseNew(untraced);
      collect(untraced, logs, 1);
      assertThat(logs.lines())
          .containsExactly(
              "WARN pool leaky: the lease of stub "
                  + pid
                  + " was never closed, and its handle is garbage: taken back; set leakTraces to"
                  + " learn where it was acquired");
    }
  }

  @Test
  void shouldServeWhoWaitsByWhatWasLost() {
    try (Logs logs = new Logs(Supply.class);
        Stub kept = pool.acquire()) {
      int lost = loseNew(pool);
      CompletableFuture<Stub> waiter =
          CompletableFuture.supplyAsync(() -> pool.acquire(Duration.ofSeconds(20)));
      Proc.await("a waiter", () -> pool.stats().waiting() == 1);
      collect(pool, logs, 1);
      try (Stub stub = waiter.join()) {
        assertThat(stub.pid()).isEqualTo(lost).isNotEqualTo(kept.pid());
        assertThat(IdleStubIT.mappingsBesidesTheImage(pool, lost)).isEmpty();
      }
      assertThat(logs.lines()).isNotEmpty();
    }
  }

  /** Who still has the stub's memory still has the stub. */
  @Test
  void shouldTakeBackNothingThatIsInUse() {
    try (Logs logs = new Logs(Supply.class)) {
      StubMemory memory = acquireMemory();
      int lost = loseNew(pool);
      collect(pool, logs, 1); // so whatever was garbage then has been found
      memory.write(SOMEWHERE, new byte[] {7});
      assertThat(memory.read(SOMEWHERE, 1)).containsExactly(7);
      assertThat(logs.lines().getFirst()).contains("the lease of stub " + lost + " ");
      assertThat(pool.stats().lost()).isEqualTo(1);
      assertThat(pool.stats().leased()).isEqualTo(1);
    }
  }

  private StubMemory acquireMemory() {
    Stub stub = pool.acquire();
    stub.memory().mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
    return stub.memory();
  }

  @Test
  void shouldNotMissWhatWasClosedOrDied() {
    try (Logs logs = new Logs(Supply.class)) {
      for (int i = 0; i < 5; i++) {
        pool.acquire().close();
      }
      killAndForget();
      Proc.await("its end", () -> pool.stats().died() == 1);
      loseNew(pool);
      collect(pool, logs, 1);
      assertThat(pool.stats().lost()).isEqualTo(1);
      assertThat(warnings(logs)).isEqualTo(1);
    }
  }

  private void killAndForget() {
    pool.acquire().kill();
  }

  @Test
  void shouldTellWhoWatchesTheDeathOfALostStub() {
    try (Logs logs = new Logs(Supply.class)) {
      CompletionStage<String> death = watchAndForget();
      collect(pool, logs, 1);
      CompletableFuture<String> end = death.toCompletableFuture();
      Proc.await("its end", end::isDone);
      assertThat(end.exceptionNow()).isInstanceOf(CancellationException.class);
      assertThat(logs.lines()).isNotEmpty();
    }
  }

  private CompletionStage<String> watchAndForget() {
    return pool.acquire().onDeath();
  }
}
