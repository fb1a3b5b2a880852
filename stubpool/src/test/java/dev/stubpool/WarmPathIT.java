package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.Kernel;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.compiler.SeccompCompiler;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** What costs nothing: a lease of an idle stub no system call, an idle stub no time. */
class WarmPathIT {
  private static final int STUBS = 1_000;

  /** What a shell says of a process that a signal ended. */
  private static final int KILLED_BY_SIGSYS = 128 + 31;

  @Test
  void shouldMakeNoSystemCall() {
    ChildJvm.Outcome outcome = run("nothing");
    assertThat(outcome.output()).contains("taken: " + STUBS);
    assertThat(outcome.status()).as(outcome.output()).isZero();
  }

  /** The proof that the test above can fail. */
  @Test
  void shouldNoticeASystemCall() {
    for (String more : List.of("acquire from the empty", "wake the sleeping")) {
      ChildJvm.Outcome outcome = run(more);
      assertThat(outcome.output()).contains("ready").doesNotContain("taken");
      assertThat(outcome.status()).as("%s: %s", more, outcome.output()).isEqualTo(KILLED_BY_SIGSYS);
    }
  }

  private static ChildJvm.Outcome run(String more) {
    // Interpreted, for the compilers call the other threads together now and then, and who is
    // called then waits in the kernel. For the same reason no garbage is collected, and no monitor.
    List<String> options =
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "-Xint",
            "-Xms256m",
            "-Xmx256m",
            "-Xmn200m",
            "-XX:+UnlockDiagnosticVMOptions",
            "-XX:GuaranteedSafepointInterval=0",
            "-XX:AsyncDeflationInterval=0",
            "-XX:GuaranteedAsyncDeflationInterval=0");
    return ChildJvm.run(
        ChildJvm.command(options, ChildJvm.classPath(Silent.class), Silent.class, more));
  }

  /** Takes all stubs of a full pool in a thread that dies, with the process, of a system call. */
  static final class Silent {
    private static final int ROUNDS_OF_WARM_UP = 2;
    private static final Stub[] TAKEN = new Stub[STUBS];

    private static volatile boolean asleep;
    private static volatile int taken = -1;

    public static void main(String[] arguments) {
      StubPool pool =
          StubPool.open(StubPoolOptions.builder().minIdle(STUBS).maxStubs(STUBS).build());
      awaitFull(pool);
      Thread sleeper =
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    asleep = true;
                    while (true) {
                      LockSupport.park();
                    }
                  });
      Proc.await("a sleeper", () -> asleep && sleeper.getState() == Thread.State.WAITING);
      Thread.ofPlatform().daemon().start(() -> beSilent(pool, arguments[0], sleeper));
      // Here too without a safepoint, such as the regular end of a JVM.
      long deadline = System.nanoTime() + Duration.ofSeconds(40).toNanos();
      while (taken < 0 && System.nanoTime() - deadline < 0) {
        Thread.onSpinWait();
      }
      int count = taken;
      System.out.println("taken: " + count);
      Kernel.call(Abi.SYS_exit_group, count == STUBS ? 0 : 1);
    }

    private static void awaitFull(StubPool pool) {
      Proc.await("a full pool", () -> pool.stats().idle() == STUBS);
    }

    private static void beSilent(StubPool pool, String more, Thread sleeper) {
      for (int round = 0; round < ROUNDS_OF_WARM_UP; round++) {
        takeAll(pool);
        for (Stub stub : TAKEN) {
          stub.close();
        }
        awaitFull(pool);
      }
      System.out.println("ready");
      LockSupport.unpark(Thread.ofPlatform().unstarted(() -> {})); // the class, not the call
      dieOfAnySystemCall();
      int count = takeAll(pool);
      switch (more) {
        case "acquire from the empty" -> pool.acquire();
        case "wake the sleeping" -> LockSupport.unpark(sleeper);
        default -> {}
      }
      taken = count;
      while (true) {
        Thread.onSpinWait(); // to end is a system call too
      }
    }

    private static int takeAll(StubPool pool) {
      int count = 0;
      for (int i = 0; i < STUBS; i++) {
        TAKEN[i] = pool.tryAcquire();
        if (TAKEN[i] != null) {
          count++;
        }
      }
      return count;
    }

    private static void dieOfAnySystemCall() {
      StubImage.get();
      byte[] program =
          SeccompCompiler.compile(
                  SeccompPolicy.builder(Architecture.X86_64)
                      .defaultAction(SeccompAction.KILL_PROCESS)
                      .badArchitectureAction(SeccompAction.KILL_PROCESS)
                      .build())
              .toBytes();
      Arena arena = Arena.global(); // to give it back may be a system call
      MemorySegment header = arena.allocate(16, 8); // struct sock_fprog
      header.set(ValueLayout.JAVA_SHORT, 0, (short) (program.length / 8));
      header.set(
          ValueLayout.JAVA_LONG, 8, arena.allocateFrom(ValueLayout.JAVA_BYTE, program).address());
      if (Kernel.call(Abi.SYS_prctl, Abi.PR_SET_NO_NEW_PRIVS, 1, 0, 0) != 0
          || Kernel.call(Abi.SYS_seccomp, 1, 0, header.address()) != 0) {
        throw new AssertionError("seccomp");
      }
    }
  }

  // ---- idle stubs ----

  /** What a process has used of the CPU, as far as /proc tells. */
  private static String used(int pid) {
    try {
      // utime and stime; the name in parentheses may hold anything.
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      Path exact = Path.of("/proc/" + pid + "/schedstat");
      return "utime=%s stime=%s voluntary=%s involuntary=%s schedstat=%s"
          .formatted(
              fields[11],
              fields[12],
              Proc.status(pid, "voluntary_ctxt_switches"),
              Proc.status(pid, "nonvoluntary_ctxt_switches"),
              Files.exists(exact) ? Files.readString(exact).strip() : "");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Map<Integer, String> usedByAll() {
    Map<Integer, String> all = new TreeMap<>();
    for (int pid : Proc.stubs()) {
      all.put(pid, used(pid));
    }
    return all;
  }

  @Test
  void shouldLeaveIdleStubsAlone() {
    try (StubPool pool =
        StubPool.open(StubPoolOptions.builder().name("idle").minIdle(8).maxStubs(8).build())) {
      Proc.await("a full pool", () -> pool.stats().idle() == 8);
      Map<Integer, String> before = usedByAll();
      assertThat(before).hasSize(9).containsKey(pool.sourcePid());
      for (int i = 0; i < 1_000; i++) {
        try (Stub stub = pool.acquire(Duration.ofSeconds(20))) {
          assertThat(stub.state()).isEqualTo(StubState.LEASED);
        }
      }
      Proc.await("all back", () -> pool.stats().idle() == 8);
      assertThat(usedByAll()).as("leases do not reach the process").isEqualTo(before);
      assertThat(pool.stats().recycled()).isZero();

      List<Integer> changed = new ArrayList<>();
      int used;
      try (Stub stub = pool.acquire()) {
        used = stub.pid();
        for (int i = 0; i < 1_000; i++) {
          stub.syscall(Abi.SYS_getpid);
        }
      }
      Proc.await("all back", () -> pool.stats().idle() == 8);
      usedByAll()
          .forEach(
              (pid, now) -> {
                if (!now.equals(before.get(pid))) {
                  changed.add(pid);
                }
              });
      assertThat(changed).as("what others do neither").containsExactly(used);
      assertThat(Proc.status(used, "State")).startsWith("t");
    }
    assertThat(Proc.stubs()).isEmpty();
  }
}
