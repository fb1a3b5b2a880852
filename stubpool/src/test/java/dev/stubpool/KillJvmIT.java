package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.abi.Errno;
import dev.stubpool.forge.TestHooks;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.pool.Pool;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.support.Internals;
import dev.stubpool.support.Orphans;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * KILL_JVM, each time in a JVM of its own: what ends it, what does not, and what it says first.
 * This JVM is the subreaper of those, so whatever they leave behind becomes a child of ours.
 */
class KillJvmIT {
  private static final int KILLED = 128 + Abi.SIGKILL;
  private static final Duration BOUND = Duration.ofSeconds(10);

  @BeforeAll
  static void adoptOrphans() {
    Orphans.adopt();
  }

  @AfterAll
  static void disownOrphans() {
    Orphans.disown();
  }

  /** What ends the JVM, with what the log says before. */
  enum End {
    IDLE_STUB_KILLED("") {
      @Override
      void bringAbout(StubPool pool, Stub stub) throws Exception {
        stub.close();
        Proc.await("its return", () -> pool.stats().idle() > 0 && pool.stats().leased() == 0);
        Proc.killFromOutside(stub.pid());
      }
    },
    LEASED_STUB_KILLED("") {
      @Override
      void bringAbout(StubPool pool, Stub stub) throws Exception {
        Proc.killFromOutside(stub.pid());
      }
    },
    COPY_KILLED("") {
      @Override
      void bringAbout(StubPool pool, Stub stub) throws Exception {
        Proc.killFromOutside(stub.spawnChild().pid());
      }
    },
    SOURCE_KILLED("") {
      @Override
      void bringAbout(StubPool pool, Stub stub) throws Exception {
        Proc.killFromOutside(pool.sourcePid());
      }
    },
    HOLDER_KILLS("WARN Pool: pool strict: killing stub %d ends the JVM (KILL_JVM)\n") {
      @Override
      void bringAbout(StubPool pool, Stub stub) {
        stub.kill();
      }
    },
    POOL_CLOSED("WARN ForgeTracer: pool strict: closing it ends the JVM (KILL_JVM)\n") {
      @Override
      void bringAbout(StubPool pool, Stub stub) {
        pool.close();
      }
    },
    NOT_RECYCLABLE(
        "ERROR Supply: pool strict: stub %d cannot be reset: signal 10 is pending; it is"
            + " killed, which ends the JVM (KILL_JVM)\n") {
      @Override
      void bringAbout(StubPool pool, Stub stub) {
        ProcessCalls.kill(stub.pid(), SIGUSR1);
        stub.close();
      }
    },
    LATE("WARN Watchdog: process %d did not stop within PT0.5S; killing it\n") {
      @Override
      void bringAbout(StubPool pool, Stub stub) {
        sleepForEver(pool, stub);
      }
    },
    LATE_BESIDE_A_GUEST("WARN Watchdog: process %d did not stop within PT0.5S; killing it\n") {
      @Override
      void bringAbout(StubPool pool, Stub stub) throws Exception {
        LateStubIT.besideAGuest(stub, () -> LateStubIT.sleepForEver(stub));
      }
    },
    HELD_UP("WARN StopRunner: process %d held up by foreign signals for PT0.5S; killing it\n") {
      @Override
      void bringAbout(StubPool pool, Stub stub) {
        Thread.ofPlatform()
            .start(
                () -> {
                  while (true) {
                    ProcessCalls.kill(stub.pid(), Abi.SIGURG);
                  }
                });
        sleepForEver(pool, stub);
      }
    };

    private static final int SIGUSR1 = 10;
    private static final Duration PATIENCE = Duration.ofMillis(500);
    private final String log;

    End(String log) {
      this.log = log;
    }

    abstract void bringAbout(StubPool pool, Stub stub) throws Exception;

    /** Runs a call in a stub that nothing ends, and waits for it not as long as the pool would. */
    private static void sleepForEver(StubPool pool, Stub stub) {
      long parkWord = StubImage.get().address(ImageSymbols.STUB_PARK_WORD);
      IdleStubIT.onTracer(
          pool,
          () -> {
            StopRunner tracer = new StopRunner(PATIENCE, true, tracee -> {});
            return tracer.inject(
                Internals.process(stub).tracee,
                Abi.SYS_futex,
                parkWord,
                Abi.FUTEX_WAIT_PRIVATE,
                0,
                0,
                0,
                0,
                "sleeping");
          });
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldEndTheJvm(End end) {
    Set<Integer> before = Proc.children();
    ChildJvm.Outcome outcome = ChildJvm.run(ChildJvm.command(Doomed.class, end.name()));
    assertThat(outcome.status()).as(outcome.output()).isEqualTo(KILLED);
    assertThat(outcome.output()).startsWith("stub ").doesNotContain("lives on");
    String[] lines = outcome.output().split("\n", 2);
    assertThat(lines[1].replaceFirst("^[\\d:.]+ ", ""))
        .isEqualTo(end.log.formatted(Integer.parseInt(lines[0].substring("stub ".length()))));
    assertThat(Orphans.awaitNone(before, BOUND)).isEmpty();
  }

  /** Does what ends it. */
  static final class Doomed {
    public static void main(String[] arguments) throws Exception {
      StubPool pool =
          Pool.open(
              options().minIdle(2).maxStubs(8).build(), new TestHooks(true, true, End.PATIENCE));
      Stub stub = pool.acquire();
      stub.syscall(Abi.SYS_getpid);
      System.out.println("stub " + stub.pid());
      End.valueOf(arguments[0]).bringAbout(pool, stub);
      LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(20));
      System.out.println("lives on");
    }
  }

  private static StubPoolOptions.Builder options() {
    return StubPoolOptions.builder().name("strict").onStubDeath(OnStubDeath.KILL_JVM);
  }

  @Test
  void shouldSurviveWhatIsNoDeath() {
    Set<Integer> before = Proc.children();
    ChildJvm.Outcome outcome = ChildJvm.run(ChildJvm.command(Careful.class));
    assertThat(outcome.output()).isEqualTo("1 source, 12 stubs, 12 recycled\n");
    assertThat(outcome.status()).as("its own").isEqualTo(42);
    assertThat(Orphans.awaitNone(before, BOUND)).isEmpty();
  }

  /** Uses stubs, leaves them idle for many times the idle timeout, and ends by itself. */
  static final class Careful {
    public static void main(String[] arguments) {
      Duration idleTimeout = Duration.ofMillis(20);
      StubPool pool = StubPool.open(options().minIdle(0).idleTimeout(idleTimeout).build());
      List<Stub> stubs = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        stubs.add(pool.acquire());
      }
      for (int i = 0; i < 4; i++) {
        stubs.add(stubs.get(i).spawnChild());
      }
      stubs.forEach(stub -> stub.memory().mapAnonymous(0x1000_0000L, 4096, Protection.READ));
      stubs.forEach(Stub::close);
      Proc.await("all idle", () -> pool.stats().idle() == 12);
      // Each turn of the tracer is a look at what is idle for too long.
      long until = System.nanoTime() + 20 * idleTimeout.toNanos();
      Proc.await("time", () -> IdleStubIT.onTracer(pool, System::nanoTime) > until);
      StubPoolStats now = pool.stats();
      System.out.printf(
          "%d source, %d stubs, %d recycled%n",
          pool.sourcePid() == 0 ? 0 : 1, now.total(), now.recycled());
      System.exit(42);
    }
  }

  @Test
  void shouldBeRefusedToTheInitOfAPidNamespace() throws IOException {
    List<String> command = new ArrayList<>(List.of("unshare", "--pid", "--fork", "--mount-proc"));
    List<String> probe = new ArrayList<>(command);
    probe.add("true");
    ChildJvm.Outcome possible = ChildJvm.run(probe);
    Assumptions.assumeTrue(
        possible.status() == 0, "needs a pid namespace: " + possible.output().strip());
    command.addAll(ChildJvm.command(Opening.class));
    ChildJvm.Outcome outcome = ChildJvm.run(command);
    assertThat(outcome.output())
        .isEqualTo(
            "pid 1: KILL_JVM relies on SIGKILL, which the kernel does not deliver to the init"
                + " process of a pid namespace, and this JVM is that process; start it as a child"
                + " of an init process (docker run --init)\n");
    assertThat(outcome.status()).isZero();
  }

  /** A birth that fails kills a source; but one that the JVM does not die with. */
  @Test
  void shouldSurviveABirthThatFails() {
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            ChildJvm.command(
                Opening.class,
                Integer.toString(Abi.SYS_setpgid),
                Integer.toString(Abi.SYS_ptrace)));
    assertThat(outcome.output())
        .contains("setpgid: EPERM while making the source stub (step PROCESS_GROUP)")
        .contains("ptrace(PTRACE_SEIZE): EPERM while making the source stub; ");
    assertThat(outcome.status()).isZero();
  }

  /** Opens a pool, again each time without one more system call, and says how that went. */
  static final class Opening {
    public static void main(String[] arguments) {
      if (arguments.length == 0) {
        open();
      }
      for (String number : arguments) {
        Filters.deny(Integer.parseInt(number), Errno.EPERM);
        open();
      }
      if (!Proc.stubs().isEmpty()) {
        System.exit(3);
      }
    }

    private static void open() {
      String who = "pid " + ProcessHandle.current().pid() + ": ";
      try {
        StubPool pool = StubPool.open(options().build());
        System.out.println(who + "opened " + pool);
      } catch (StubPoolException e) {
        System.out.println(who + e.getMessage());
      }
    }
  }
}
