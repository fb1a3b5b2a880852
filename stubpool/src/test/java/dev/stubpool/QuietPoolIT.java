package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** A pool in which nothing is leased hardly ever wakes. */
class QuietPoolIT {
  private static final Duration WINDOW = Duration.ofSeconds(2);

  /**
   * Two looks for the dead, one more at the edge, and as many again for the kernel's own reasons.
   */
  private static final int MOST_SLEEPS = 6;

  @Test
  void shouldHardlyWakeWhileNothingIsLeased() {
    Map<Path, Long> others = sleeps();
    try (StubPool pool =
        StubPool.open(StubPoolOptions.builder().name("quiet").minIdle(4).maxStubs(8).build())) {
      Proc.await("idle stubs", () -> pool.stats().idle() == 4);
      try (Stub stub = pool.acquire()) {
        assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
        assertThat(stub.<Integer, RuntimeException>run(guest -> 7)).isEqualTo(7);
      }
      Proc.await("all idle", () -> pool.stats().idle() == pool.stats().total());
      pass(WINDOW); // the watchdog's last tick, and the last look made while a stub was leased
      long before = sleepsSince(others);
      pass(WINDOW);
      long sleeps = sleepsSince(others) - before;
      System.out.printf("QuietPoolIT: %d sleeps in %s%n", sleeps, WINDOW);
      assertThat(before).as("sleeps until then").isPositive();
      assertThat(sleeps).isLessThanOrEqualTo(MOST_SLEEPS);
    }
  }

  /** The tracer learns nothing of a lease of an idle stub. */
  @Test
  void shouldNoticeTheDeathOfAStubThatWasLeasedWhileItSlept() throws Exception {
    try (StubPool pool =
        StubPool.open(StubPoolOptions.builder().name("quiet").minIdle(4).maxStubs(8).build())) {
      Proc.await("idle stubs", () -> pool.stats().idle() == 4);
      pass(WINDOW);
      Stub watched = pool.tryAcquire();
      CompletableFuture<String> death = watched.onDeath().toCompletableFuture();
      ProcessCalls.kill(watched.pid(), Abi.SIGKILL);
      assertThat(death.get(20, TimeUnit.SECONDS)).isEqualTo("killed by SIGKILL");
      pass(WINDOW);
      Stub other = pool.tryAcquire();
      ProcessCalls.kill(other.pid(), Abi.SIGKILL);
      Proc.await("its death", () -> other.state() == StubState.DEAD);
      watched.close();
      other.close();
    }
  }

  private static void pass(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  /** How often threads slept that were not there before, the watchdog of all pools among them. */
  private static long sleepsSince(Map<Path, Long> others) {
    long sum = 0;
    for (Map.Entry<Path, Long> thread : sleeps().entrySet()) {
      if (!others.containsKey(thread.getKey()) || isWatchdog(thread.getKey())) {
        sum += thread.getValue();
      }
    }
    return sum;
  }

  private static boolean isWatchdog(Path thread) {
    return read(thread.resolve("comm")).startsWith("stubpool-watch");
  }

  /** How often each thread of the library slept, by its folder. */
  private static Map<Path, Long> sleeps() {
    Map<Path, Long> sleeps = new HashMap<>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path thread : threads) {
        if (read(thread.resolve("comm")).startsWith("stubpool-")) {
          read(thread.resolve("status"))
              .lines()
              .filter(line -> line.startsWith("voluntary_ctxt_switches:"))
              .forEach(line -> sleeps.put(thread, Long.parseLong(line.split("\\s+", -1)[1])));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return sleeps;
  }

  /** Empty if the thread has ended. */
  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      if (!Files.exists(file)) {
        return "";
      }
      throw new UncheckedIOException(e);
    }
  }
}
