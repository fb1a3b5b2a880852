package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.support.ChildJvm;
import dev.stubpool.support.Orphans;
import dev.stubpool.trace.Seams;
import java.time.Duration;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
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

  @Test
  void shouldTakeAllStubsAlongAtAnyMoment() {
    int rounds = Boolean.getBoolean("stubpool.proof") ? 200 : 10;
    long seed = new Random().nextLong();
    System.out.println("JvmDeathIT: seed " + seed + ", " + rounds + " rounds");
    Random random = new Random(seed);
    for (int round = 0; round < rounds; round++) {
      Set<Integer> before = Orphans.children();
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
    int rounds = Boolean.getBoolean("stubpool.proof") ? 20 : 2;
    for (int round = 0; round < rounds; round++) {
      Set<Integer> before = Orphans.children();
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
    Set<Integer> before = Orphans.children();
    try (ChildJvm child = ChildJvm.start(ChildJvm.command(Holding.class, "false", "false"))) {
      child.await("stubs exist");
      child.kill();
    }
    assertThat(Orphans.awaitNone(before, Duration.ofMillis(500))).isNotEmpty();
    for (int pid : Orphans.children()) {
      if (!before.contains(pid)) {
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
      }
    }
    assertThat(Orphans.awaitNone(before, BOUND)).isEmpty();
  }

  private static Seams seams(String[] arguments) {
    return new Seams(
        Boolean.parseBoolean(arguments[0]),
        Boolean.parseBoolean(arguments[1]),
        Seams.NONE.patience());
  }

  /** Keeps some stubs that had an injection; with EXITKILL also some that had none. */
  static final class Holding {
    public static void main(String[] arguments) {
      Seams seams = seams(arguments);
      StubPool pool =
          StubPool.open(StubPoolOptions.builder().minIdle(0).maxStubs(64).build(), seams);
      for (int i = 0; i < 16; i++) {
        Stub stub = pool.acquire();
        if (i % 2 == 0 || !seams.exitKill()) {
          stub.syscall(Abi.SYS_getpid);
        }
      }
      System.out.println("stubs exist");
      while (true) {
        LockSupport.park();
      }
    }
  }

  /** Does a bit of everything, for ever. */
  static final class Churn {
    public static void main(String[] arguments) {
      StubPool pool =
          StubPool.open(
              StubPoolOptions.builder().minIdle(8).maxStubs(64).build(), seams(arguments));
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
