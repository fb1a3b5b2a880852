package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.diagnose.Machine;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.testing.Descriptors;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** A pool of 5,000: made by many threads, given back in a burst, leased again, killed in part. */
class LargePoolIT {
  private static final int STUBS = 5_000;
  private static final int THREADS = 8;

  @Test
  void shouldOpenUseAndCloseClean() throws IOException, InterruptedException {
    int pidMax = (int) Machine.sysctl(Path.of("/proc/sys/kernel/pid_max"));
    Assumptions.assumeTrue(
        pidMax > 2 * STUBS, "kernel.pid_max is " + pidMax + ": no room for " + STUBS + " stubs");
    // The first pool of a JVM takes descriptors for ever: the image's and the window's.
    StubPool.open(StubPoolOptions.builder().minIdle(0).build()).close();
    long descriptors = Descriptors.count();
    StubPool pool =
        StubPool.open(
            StubPoolOptions.builder()
                .name("large")
                .minIdle(0)
                .maxStubs(STUBS)
                .acquireTimeout(Duration.ofMinutes(2))
                .build());
    List<Stub> stubs = leaseAll(pool);
    assertThat(stubs.stream().mapToInt(Stub::pid).distinct().count()).isEqualTo(STUBS);
    for (Stub stub : stubs) {
      assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
    }

    stubs.forEach(Stub::close);
    Proc.await("all idle", () -> pool.stats().idle() == STUBS);
    assertThat(pool.stats().recycled()).isEqualTo(STUBS);

    List<Stub> again = new ArrayList<>();
    for (int i = 0; i < STUBS; i++) {
      again.add(pool.tryAcquire());
    }
    assertThat(again).doesNotContainNull();
    assertThat(pool.stats().created()).as("made once").isEqualTo(STUBS);
    assertThatThrownBy(() -> stubs.getFirst().syscall(Abi.SYS_getpid))
        .isInstanceOf(IllegalStateException.class);

    for (int i = 0; i < STUBS; i += 3) {
      assertThat(ProcessHandle.of(again.get(i).pid()).orElseThrow().destroyForcibly()).isTrue();
    }
    Proc.await("the dead to be found", () -> pool.stats().died() == (STUBS + 2) / 3);
    assertThatThrownBy(() -> again.getFirst().syscall(Abi.SYS_getpid))
        .isInstanceOf(StubDiedException.class);
    Stub alive = again.get(1);
    assertThat(alive.syscall(Abi.SYS_getpid)).isEqualTo(alive.pid());

    pool.close();
    assertThat(Proc.stubs()).isEmpty();
    assertThat(Descriptors.count()).isEqualTo(descriptors);
  }

  private static List<Stub> leaseAll(StubPool pool) throws InterruptedException {
    ConcurrentLinkedQueue<Stub> stubs = new ConcurrentLinkedQueue<>();
    ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      for (int n = 0; n < STUBS / THREADS; n++) {
                        stubs.add(pool.acquire());
                      }
                    } catch (RuntimeException e) {
                      failures.add(e);
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
    return List.copyOf(stubs);
  }
}
