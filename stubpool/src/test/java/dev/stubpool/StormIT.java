package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.abi.Errno;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.PidsCgroup;
import dev.stubpool.testing.Proc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Many threads want more stubs than the kernel gives processes: a clear error, and no harm. */
class StormIT {
  @Test
  void shouldComeThroughTheLimitOfAUser() {
    assertThat(Unprivileged.run("storm", List.of(), Storm.class)).contains("came through");
  }

  @Test
  void shouldComeThroughTheLimitOfACgroup() {
    try (PidsCgroup cgroup = new PidsCgroup()) {
      List<String> storm = ChildJvm.command(Storm.class, cgroup.path().toString());
      assertThat(ChildJvm.run(cgroup.command(storm)).output()).contains("came through");
    }
  }

  /** The storm, at the limit of its cgroup (an argument) or its user. */
  static final class Storm {
    private static final int THREADS = 8;
    private static final int MIN_IDLE = 4;
    private static final int ROOM = 60;
    private static final int SLEEPERS = 30;

    private final ConcurrentLinkedQueue<Stub> stubs = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<SystemCallException> refusals =
        new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

    private final CountDownLatch began = new CountDownLatch(THREADS);

    /** Threads that count as processes do, until they end. */
    private final CountDownLatch sleep = new CountDownLatch(1);

    public static void main(String[] arguments) throws Exception {
      StubImage.get();
      new Storm().run(arguments.length == 0 ? null : Path.of(arguments[0]));
    }

    private void run(Path cgroup) throws Exception {
      List<Thread> sleepers = start(SLEEPERS, this::awaitEnd);
      if (cgroup == null) {
        // Before the source, which inherits it.
        Unprivileged.limitProcessesTo(Proc.tasksOf(Unprivileged.UID) + THREADS + ROOM);
      }
      try (StubPool pool =
          StubPool.open(
              StubPoolOptions.builder()
                  .name("storm")
                  .minIdle(MIN_IDLE)
                  .maxStubs(10_000)
                  .acquireTimeout(Duration.ofSeconds(20))
                  .build())) {
        if (cgroup != null) {
          String now = Files.readString(cgroup.resolve("pids.current")).strip();
          PidsCgroup.limit(cgroup, Integer.parseInt(now) + THREADS + ROOM);
        }
        join(start(THREADS, () -> takeTogether(pool)));
        check(failures.isEmpty(), "failures " + failures);
        check(refusals.size() == THREADS, "each thread is refused once: " + refusals.size());
        for (SystemCallException refusal : refusals) {
          check(
              refusal.errno() == Errno.EAGAIN
                  && refusal.call().equals("clone")
                  && refusal.getMessage().contains("; a limit on processes is reached: look at"),
              refusal.getMessage());
        }
        check(
            stubs.stream().mapToInt(Stub::pid).distinct().count() == stubs.size(),
            "nobody's stub is another's");
        for (Stub stub : stubs) {
          check(stub.syscall(Abi.SYS_getpid) == stub.pid(), "a stub answers");
        }
        StubPoolStats full = pool.stats();
        check(full.leased() == stubs.size(), full + " of " + stubs.size());
        // The threads that ended left room for a few idle ones.
        int all = Proc.stubs().size();
        check(all <= stubs.size() + 1 + MIN_IDLE, "strays: " + all + " of " + stubs.size());

        // Stubs that come back are as good as new ones, limit or not.
        for (int i = 0; i < 2 * MIN_IDLE; i++) {
          stubs.remove().close();
        }
        for (int i = 0; i < 2 * MIN_IDLE; i++) {
          Stub again = pool.acquire();
          check(again.syscall(Abi.SYS_getpid) == again.pid(), "one given back answers");
          stubs.add(again);
        }

        // The source is lost at the limit: another one takes its place, or it is said why not.
        check(
            ProcessHandle.of(pool.sourcePid()).orElseThrow().destroyForcibly(),
            "the source is killed");
        takeUntilRefused(pool);
        check(failures.isEmpty(), "failures " + failures);

        // Nobody asks for anything: the pool fills itself once there is room.
        if (cgroup == null) {
          sleep.countDown();
          join(sleepers);
        } else {
          PidsCgroup.limit(cgroup, 1_000_000);
        }
        Proc.await("idle stubs", () -> pool.stats().idle() == MIN_IDLE);
        try (Stub fresh = pool.acquire()) {
          check(fresh.syscall(Abi.SYS_getpid) == fresh.pid(), "a new stub answers");
        }
        stubs.forEach(Stub::close);
      }
      sleep.countDown();
      check(Proc.stubs().isEmpty(), "left: " + Proc.stubs());
      System.out.println("came through with " + stubs.size());
    }

    /** Once all threads are there: stubs leave no room for one. */
    private void takeTogether(StubPool pool) {
      began.countDown();
      try {
        began.await();
      } catch (InterruptedException e) {
        failures.add(e);
      }
      takeUntilRefused(pool);
    }

    private void takeUntilRefused(StubPool pool) {
      try {
        while (true) {
          stubs.add(pool.acquire());
        }
      } catch (SystemCallException e) {
        refusals.add(e);
      } catch (RuntimeException e) {
        failures.add(e);
      }
    }

    private void awaitEnd() {
      try {
        sleep.await();
      } catch (InterruptedException e) {
        failures.add(e);
      }
    }

    private static List<Thread> start(int count, Runnable work) {
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        threads.add(Thread.ofPlatform().daemon().start(work));
      }
      return threads;
    }

    private static void join(List<Thread> threads) throws InterruptedException {
      for (Thread thread : threads) {
        thread.join();
      }
    }

    private static void check(boolean holds, String what) {
      if (!holds) {
        throw new AssertionError(what);
      }
    }
  }
}
