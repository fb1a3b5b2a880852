package dev.stubpool;

import static dev.stubpool.IdleStubIT.onTracer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.support.HeldCalls;
import dev.stubpool.testing.Proc;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * What {@link DeathIT} has run in a JVM of its own: a stub or a source is killed while it is in the
 * middle of a system call, and its tracer waits for that. A program for {@link HeldCalls#perform}.
 */
final class KilledInCall {
  private static final long SOMEWHERE = 0x1000_0000L;
  private static final int MEBIBYTE = 1 << 20;

  private final StubPool pool;
  private final HeldCalls calls;

  private KilledInCall(StubPool pool, HeldCalls calls) {
    this.pool = pool;
    this.calls = calls;
  }

  public static void main(String[] arguments) throws Exception {
    HeldCalls.perform(calls -> kill(calls, arguments[0]));
  }

  private static void kill(HeldCalls calls, String what) {
    try (StubPool pool =
        StubPool.open(StubPoolOptions.builder().name("deadly").minIdle(0).maxStubs(64).build())) {
      KilledInCall test = new KilledInCall(pool, calls);
      switch (what) {
        case "call" -> test.failTheCallAlone();
        case "recycling" -> test.replaceWhatIsMadeLikeNew();
        case "birth" -> test.serveWhoWaitsForASource();
        case "copy" -> test.failTheCopy();
        default -> throw new IllegalArgumentException(what);
      }
      try (Stub stub = pool.acquire()) {
        assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
      }
      Proc.await("books that add up", () -> DeathIT.addsUp(pool.stats()));
    }
  }

  /** Runs something that has a process make a call, and kills that in the middle of it. */
  private <T> CompletableFuture<T> killDuring(int pid, Supplier<T> work) {
    int tracer = (int) onTracer(pool, ProcessCalls::tid);
    calls.hold(pid);
    CompletableFuture<T> result = CompletableFuture.supplyAsync(work, Thread.ofPlatform()::start);
    calls.awaitCall();
    HeldCalls.awaitWait(tracer, pid);
    ProcessCalls.kill(pid, Abi.SIGKILL);
    return result;
  }

  private void failTheCallAlone() {
    try (Stub victim = pool.acquire();
        Stub other = pool.acquire()) {
      int pid = victim.pid();
      CompletableFuture<String> death = DeathIT.deathOf(victim);
      CompletableFuture<Long> call = killDuring(pid, () -> victim.syscall(Abi.SYS_getpid));
      assertThatThrownBy(() -> DeathIT.soon(call))
          .isInstanceOfSatisfying(StubDiedException.class, e -> assertThat(e.pid()).isEqualTo(pid))
          .hasMessage(
              "stub " + pid + " is dead (killed by SIGKILL) while running a call in a stub");
      assertThat(DeathIT.soon(death)).isEqualTo("killed by SIGKILL");
      assertThat(other.syscall(Abi.SYS_getpid)).isEqualTo(other.pid());
      assertThat(pool.stats().died()).isEqualTo(1);
    }
  }

  private void replaceWhatIsMadeLikeNew() {
    Stub victim = pool.acquire();
    int pid = victim.pid();
    victim.memory().mapAnonymous(SOMEWHERE, MEBIBYTE, Protection.READ_WRITE);
    CompletableFuture<Void> closing =
        killDuring(
            pid,
            () -> {
              victim.close();
              return null;
            });
    DeathIT.soon(closing);
    Proc.await("its end", () -> pool.stats().died() == 1);
    assertThat(pool.stats().recycled()).isZero();
    try (Stub next = pool.acquire()) {
      assertThat(next.pid()).isNotEqualTo(pid);
    }
  }

  private void serveWhoWaitsForASource() {
    int source = pool.sourcePid();
    try (Stub before = pool.acquire()) {
      CompletableFuture<Stub> waiter = killDuring(source, pool::acquire);
      try (Stub stub = DeathIT.soon(waiter)) {
        assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
        assertThat(before.syscall(Abi.SYS_getpid)).isEqualTo(before.pid());
        assertThat(pool.sourcePid()).isNotIn(0, source);
        assertThat(pool.stats().died()).isZero();
        assertThat(pool.stats().created()).isEqualTo(2);
      }
    }
  }

  private void failTheCopy() {
    try (Stub template = pool.acquire();
        Stub other = pool.acquire()) {
      int pid = template.pid();
      template.memory().mapAnonymous(SOMEWHERE, MEBIBYTE, Protection.READ_WRITE);
      CompletableFuture<Stub> copy = killDuring(pid, template::spawnChild);
      assertThatThrownBy(() -> DeathIT.soon(copy))
          .isInstanceOfSatisfying(StubDiedException.class, e -> assertThat(e.pid()).isEqualTo(pid))
          .hasMessage("stub " + pid + " is dead (killed by SIGKILL) while copying stub " + pid);
      assertThat(other.syscall(Abi.SYS_getpid)).isEqualTo(other.pid());
    }
  }
}
