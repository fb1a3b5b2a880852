package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.forge.TestHooks;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.pool.Lease;
import dev.stubpool.pool.Pool;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.support.HeldDeath;
import dev.stubpool.support.Internals;
import dev.stubpool.support.UntracedThread;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Proc;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Stubs that miss their deadline: none leaves the books before it is dead, or is looked after until
 * it is.
 */
class LateStubIT {
  private static final Duration PATIENCE = Duration.ofMillis(300);

  private final StubPool pool = open();

  private static StubPool open() {
    return Pool.open(
        StubPoolOptions.builder().name("late").minIdle(0).maxStubs(4).build(),
        new TestHooks(true, true, PATIENCE));
  }

  @AfterEach
  void close() {
    pool.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  /** Has the first thread of a stub sleep in a call that nothing ends. */
  static long sleepForEver(Stub stub) {
    long word = StubImage.get().address(ImageSymbols.STUB_PARK_WORD);
    return ((Lease) stub).call(Abi.SYS_futex, word, Abi.FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
  }

  interface Body {
    void run() throws Exception;
  }

  /** Does something while a guest of the stub is stopped, its program busy elsewhere. */
  static void besideAGuest(Stub stub, Body body) throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch over = new CountDownLatch(1);
    CompletableFuture<Object> run =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return stub.run(
                    guest -> {
                      begun.countDown();
                      return over.await(20, TimeUnit.SECONDS);
                    });
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            },
            Thread.ofPlatform()::start);
    try {
      assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
      body.run();
    } finally {
      over.countDown();
      run.get(20, TimeUnit.SECONDS);
    }
  }

  @Test
  void shouldBeDeadBeforeItLeavesTheBooks() throws Exception {
    try (Stub stub = pool.acquire()) {
      int pid = stub.pid();
      besideAGuest(
          stub,
          () -> {
            assertThatThrownBy(() -> sleepForEver(stub))
                .isInstanceOf(StubDiedException.class)
                .hasMessageContaining("stub " + pid + " is dead (killed by SIGKILL)");
            assertThat(Proc.exists(pid)).isFalse();
            assertThat(pool.stats().total()).isZero();
          });
    }
    try (Stub next = pool.acquire()) {
      assertThat(next.syscall(Abi.SYS_getpid)).isEqualTo(next.pid());
    }
  }

  /** What the kernel holds is killed, looked after, and reaped once the kernel lets it die. */
  @Test
  void shouldLookAfterWhatTheKernelHolds() throws Exception {
    holdDeath(Held.IN_AN_OPEN_POOL);
  }

  /** The same where the pool is closed before the kernel lets it die. */
  @Test
  void shouldReapWhatOutlivesItsPool() throws Exception {
    holdDeath(Held.IN_A_CLOSED_POOL);
  }

  private static void holdDeath(String where) throws InterruptedException {
    try (ChildJvm child = ChildJvm.start(ChildJvm.command(Held.class, where))) {
      int thread = Integer.parseInt(child.await(Held.HOLD));
      try (HeldDeath death = new HeldDeath(thread)) {
        child.await(Held.LINGERS);
        death.release();
      }
      child.await(Held.REAPED);
    }
  }

  /** Has a stub, in a JVM of its own, whose death is held up. */
  static final class Held {
    static final String IN_AN_OPEN_POOL = "open";
    static final String IN_A_CLOSED_POOL = "closed";
    static final String HOLD = "hold ";
    static final String LINGERS = "lingers";
    static final String REAPED = "reaped";

    public static void main(String[] arguments) throws Exception {
      try (StubPool pool = open();
          Stub stub = pool.acquire()) {
        int thread = untracedThread(pool, stub);
        System.out.println(HOLD + thread);
        Proc.await("a tracer", () -> !Proc.status(thread, "TracerPid").equals("0"));
        int pid = stub.pid();
        if (arguments[0].equals(IN_AN_OPEN_POOL)) {
          besideAGuest( // whose program does not notice anything
              stub,
              () -> {
                giveUp(stub);
                awaitEnd(pid);
                assertThat(pool.stats().died()).isEqualTo(1);
              });
        } else {
          giveUp(stub);
          pool.close();
          awaitEnd(pid);
        }
      }
      System.out.println(REAPED);
    }

    private static void giveUp(Stub stub) {
      assertThatThrownBy(() -> sleepForEver(stub))
          .isInstanceOf(StubUnresponsiveException.class)
          .hasMessageContaining("stub " + stub.pid() + " neither stopped within PT0.3S");
    }

    private static void awaitEnd(int pid) {
      assertThat(Proc.exists(pid)).isTrue();
      System.out.println(LINGERS);
      Proc.await("the end of what lingers", () -> !Proc.exists(pid));
    }

    private static int untracedThread(StubPool pool, Stub stub) {
      return (int)
          IdleStubIT.onTracer(
              pool,
              () -> {
                try (StopRunner tracer = new StopRunner(PATIENCE, true, dead -> {})) {
                  return UntracedThread.make(tracer, Internals.process(stub).tracee);
                }
              });
    }
  }
}
