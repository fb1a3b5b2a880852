package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.ImageSymbols;
import dev.stubpool.nativestubs.StubImage;
import dev.stubpool.support.Freezer;
import dev.stubpool.support.Proc;
import dev.stubpool.trace.Seams;
import java.nio.file.Files;
import java.nio.file.Path;
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
  private static final Duration PATIENCE = Duration.ofMillis(100);

  private final StubPool pool =
      StubPool.open(
          StubPoolOptions.builder().name("late").minIdle(0).maxStubs(4).build(),
          new Seams(true, true, PATIENCE));

  @AfterEach
  void close() {
    pool.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  /** Has the first thread of a stub sleep in a call that nothing ends. */
  static long sleepForEver(StubPool pool, Stub stub) {
    long word = StubImage.get().address(ImageSymbols.STUB_PARK_WORD);
    return pool.inject(
        stub, stub.process(), Abi.SYS_futex, word, Abi.FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
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

  private static boolean exists(int pid) {
    return Files.exists(Path.of("/proc/" + pid));
  }

  @Test
  void shouldBeDeadBeforeItLeavesTheBooks() throws Exception {
    try (Stub stub = pool.acquire()) {
      int pid = stub.pid();
      besideAGuest(
          stub,
          () -> {
            assertThatThrownBy(() -> sleepForEver(pool, stub))
                .isInstanceOf(StubDiedException.class)
                .hasMessageContaining("stub " + pid + " is dead (killed by SIGKILL)");
            assertThat(exists(pid)).isFalse();
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
    try (Freezer freezer = new Freezer();
        Stub stub = pool.acquire()) {
      int pid = stub.pid();
      besideAGuest(
          stub,
          () -> {
            freezer.hold(pid);
            try {
              assertThatThrownBy(() -> sleepForEver(pool, stub))
                  .isInstanceOf(StubUnresponsiveException.class)
                  .hasMessageContaining("stub " + pid + " neither stopped within PT0.1S");
              assertThat(exists(pid)).isTrue();
            } finally {
              freezer.release();
            }
            // The pool stays open, and the guest's program has not noticed anything.
            Proc.await("the end of what lingers", () -> !exists(pid));
            assertThat(pool.stats().died()).isEqualTo(1);
          });
    }
  }

  /** The same where the pool is closed before the kernel lets it die. */
  @Test
  void shouldReapWhatOutlivesItsPool() {
    try (Freezer freezer = new Freezer();
        Stub stub = pool.acquire()) {
      int pid = stub.pid();
      freezer.hold(pid);
      try {
        assertThatThrownBy(() -> sleepForEver(pool, stub))
            .isInstanceOf(StubUnresponsiveException.class);
        pool.close();
        assertThat(exists(pid)).isTrue();
      } finally {
        freezer.release();
      }
      Proc.await("its end", () -> !exists(pid));
    }
  }
}
