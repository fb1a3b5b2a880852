package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.PidsCgroup;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Where few processes are allowed, idle stubs make room for those that somebody needs. */
class CrowdedIT {
  private static final int COPIES = 400;

  @Test
  void shouldMakeCopiesAndGuestThreadsWhereFewProcessesAreAllowed() {
    assertThat(run(Forking.class)).contains(COPIES + " copies");
  }

  @Test
  void shouldRunAGuestWhereIdleStubsAreTheLastProcesses() {
    assertThat(run(Crowded.class)).contains("the guest ran");
  }

  private static String run(Class<?> main) {
    try (PidsCgroup cgroup = new PidsCgroup()) {
      ChildJvm.Outcome outcome =
          ChildJvm.run(cgroup.command(ChildJvm.command(main, cgroup.path().toString())));
      return outcome.output();
    }
  }

  private static StubPool open() {
    return StubPool.open(
        StubPoolOptions.builder().name("crowded").minIdle(0).maxStubs(1024).build());
  }

  /** Allows a cgroup so many processes and threads more than there are in it. */
  private static void allowMore(Path cgroup, int more) throws IOException {
    String now = Files.readString(cgroup.resolve("pids.current")).strip();
    PidsCgroup.limit(cgroup, Integer.parseInt(now) + more);
  }

  /** Makes one copy after the other, as a shell that starts programs. */
  static final class Forking {
    public static void main(String[] arguments) throws IOException {
      try (StubPool pool = open();
          Stub parent = pool.acquire()) {
        parent.run(guest -> 0); // its tracer's thread stays
        allowMore(Path.of(arguments[0]), 12);
        int copies = 0;
        for (int i = 0; i < COPIES; i++) {
          try (Stub copy = parent.spawnChild()) {
            int mine = i;
            copies += copy.<Integer, RuntimeException>run(guest -> mine) == i ? 1 : 0;
          }
        }
        System.out.println(copies + " copies");
      }
    }
  }

  /** Runs a guest, for which the JVM and the stub each need a thread. */
  static final class Crowded {
    public static void main(String[] arguments) throws IOException {
      try (StubPool pool = open()) {
        List<Stub> stubs = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
          stubs.add(pool.acquire());
        }
        Stub first = stubs.removeFirst();
        stubs.forEach(Stub::close);
        Proc.await("idle stubs", () -> pool.stats().idle() == stubs.size());
        allowMore(Path.of(arguments[0]), 0);
        first.run(
            guest -> {
              System.out.println("the guest ran");
              return 0;
            });
        if (first.syscall(Abi.SYS_getpid) != first.pid()) {
          throw new AssertionError("not the stub that it was");
        }
        first.close();
      }
    }
  }
}
