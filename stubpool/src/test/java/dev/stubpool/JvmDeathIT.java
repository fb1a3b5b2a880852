package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.forge.TestHooks;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.pool.Pool;
import dev.stubpool.support.Orphans;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Proc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The JVM dies by SIGKILL at any moment: no stub outlives it. This JVM is its subreaper, so
 * whatever it leaves behind, alive or dead, becomes a child of ours.
 */
class JvmDeathIT {
  private static final Duration BOUND = Duration.ofSeconds(10);

  @BeforeAll
  static void adoptOrphans() {
    Orphans.adopt();
  }

  @AfterAll
  static void disownOrphans() {
    Orphans.disown();
  }

  @Test
  void shouldTakeAllStubsAlongAtAnyMoment() {
    int rounds = Effort.cases(10, 200);
    long seed = new Random().nextLong();
    System.out.println("JvmDeathIT: seed " + seed + ", " + rounds + " rounds");
    Random random = new Random(seed);
    for (int round = 0; round < rounds; round++) {
      Set<Integer> before = Proc.children();
      try (ChildJvm child = ChildJvm.start(ChildJvm.command(Churn.class, "true", "true"))) {
        if (round % 5 == 0) {
          LockSupport.parkNanos(Duration.ofMillis(random.nextInt(700)).toNanos()); // any moment
        } else {
          child.await("stubs exist");
          LockSupport.parkNanos(random.nextInt(60_000_000));
        }
        child.kill();
      }
      assertThat(Orphans.awaitNone(before, BOUND)).as("round %d, seed %d", round, seed).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"true, false", "false, true", "true, true"})
  void shouldTakeAllStubsAlongByEitherMechanism(boolean exitKill, boolean parentDeathSignal) {
    int rounds = Effort.cases(2, 20);
    for (int round = 0; round < rounds; round++) {
      Set<Integer> before = Proc.children();
      try (ChildJvm child =
          ChildJvm.start(
              ChildJvm.command(
                  Holding.class,
                  Boolean.toString(exitKill),
                  Boolean.toString(parentDeathSignal)))) {
        child.await("stubs exist");
        child.kill();
      }
      assertThat(Orphans.awaitNone(before, BOUND)).as("round %d", round).isEmpty();
    }
  }

  /** The proof that the tests above can fail: with both mechanisms off a stub lives on. */
  @Test
  void shouldLeaveStubsBehindWithoutEitherMechanism() {
    Set<Integer> before = Proc.children();
    try (ChildJvm child = ChildJvm.start(ChildJvm.command(Holding.class, "false", "false"))) {
      child.await("stubs exist");
      child.kill();
    }
    // 16 stubs and one source; the other, which made them, is left at an int3.
    assertThat(Orphans.awaitNone(before, Duration.ofMillis(500))).hasSize(17);
    for (int pid : Proc.children()) {
      if (!before.contains(pid)) {
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
      }
    }
    assertThat(Orphans.awaitNone(before, BOUND)).isEmpty();
  }

  private static TestHooks hooks(String[] arguments) {
    return new TestHooks(
        Boolean.parseBoolean(arguments[0]),
        Boolean.parseBoolean(arguments[1]),
        TestHooks.NONE.patience());
  }

  /**
   * Keeps stubs and a source that would live on: recycled ones and a source that made none are left
   * where they park, while any other that is let go runs into an int3 and dies of that.
   */
  static final class Holding {
    public static void main(String[] arguments) {
      TestHooks hooks = hooks(arguments);
      StubPoolOptions options = StubPoolOptions.builder().minIdle(0).maxStubs(64).build();
      StubPool pool = Pool.open(options, hooks);
      StubPool sourceAlone = Pool.open(options, hooks);
      List<Stub> stubs = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        Stub stub = pool.acquire();
        stub.memory().mapAnonymous(0x1000_0000L, 4096, Protection.READ);
        stubs.add(stub);
      }
      stubs.forEach(Stub::close);
      Proc.await("all idle", () -> pool.stats().idle() == 16);
      System.out.println("stubs exist");
      while (sourceAlone.stats().total() == 0) {
        LockSupport.park();
      }
    }
  }

  /** Does a bit of everything, for ever. */
  static final class Churn {
    public static void main(String[] arguments) {
      StubPool pool =
          Pool.open(StubPoolOptions.builder().minIdle(8).maxStubs(64).build(), hooks(arguments));
      for (int i = 0; i < 3; i++) {
        Thread.ofPlatform().start(() -> churn(pool));
      }
      System.out.println("stubs exist");
    }

    private static void churn(StubPool pool) {
      Random random = new Random();
      while (true) {
        try (Stub stub = pool.acquire()) {
          if (random.nextBoolean()) {
            stub.syscall(Abi.SYS_getpid);
          }
          if (random.nextBoolean()) {
            stub.memory().mapAnonymous(0x1000_0000L, 65536, Protection.READ_WRITE);
            stub.memory().write(0x1000_0000L, new byte[65536]);
          }
          if (random.nextInt(4) == 0) {
            stub.kill();
          }
        }
      }
    }
  }
}
