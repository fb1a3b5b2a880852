package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.PidsCgroup;
import dev.stubpool.testing.Proc;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * JVMs that run out of heap or of threads for a while, recover, and go on using their pools. Each
 * in a JVM of its own.
 */
class OutOfMemoryIT {

  /** What it says, with what it logs in between. */
  private static final List<String> WORKS =
      List.of(
          "it had failures\n",
          "first pool works\n",
          "second pool works\n",
          "the watchdog lives\n",
          "closed, children left: 0\n");

  @Test
  void shouldOutliveAFullHeap() {
    for (int run = 0; run < Effort.cases(1, 40); run++) {
      String seed = Long.toString(new Random().nextLong());
      List<String> options = List.of("--enable-native-access=ALL-UNNAMED", "-Xmx16m");
      ChildJvm.Outcome outcome =
          ChildJvm.run(ChildJvm.command(options, ChildJvm.classPath(Full.class), Full.class, seed));
      assertThat(outcome.output()).as("seed %s", seed).contains(WORKS);
      assertThat(outcome.status()).as("seed %s", seed).isZero();
    }
  }

  /** Uses a pool while there is next to no heap, several times; then checks that it still works. */
  static final class Full {
    private static final int PAUSES = 4;

    // Made while there is memory.
    private static final long PAUSE_NANOS = Duration.ofMillis(150).toNanos();
    private static final Duration WHILE_FULL = Duration.ofMillis(200);
    private static final Duration USUALLY = Duration.ofSeconds(20);

    private static final long CODE = 0x10_0000;

    /** syscall; jmp -4. */
    private static final byte[] CALLS = {0x0f, 0x05, (byte) 0xeb, (byte) 0xfc};

    /** What fills the heap, a list linked by the first elements. */
    private static Object[] fill;

    private static long failures;
    private static boolean said;

    public static void main(String[] arguments) throws Exception {
      Random random = new Random(Long.parseLong(arguments[0]));
      StubPool first = open("first");
      use(first, 3); // as a program would have, before it runs out of memory
      for (int round = 0; round < PAUSES; round++) {
        fillUp(round == 0 ? Long.BYTES : 1 << (3 + random.nextInt(15))); // one round surely full
        long until = System.nanoTime() + PAUSE_NANOS;
        while (System.nanoTime() - until < 0) {
          useFull(first, random.nextInt(4));
        }
        fill = null;
        System.gc();
      }
      System.out.println(failures > 0 ? "it had failures" : "it had none");
      for (int i = 0; i < 20; i++) {
        use(first, i % 4);
      }
      System.out.println("first pool works");
      try (StubPool second = open("second")) {
        use(second, 3);
        System.out.println("second pool works");
      }
      boolean watched =
          Thread.getAllStackTraces().keySet().stream()
              .anyMatch(thread -> thread.getName().equals("stubpool-watchdog"));
      System.out.println(watched ? "the watchdog lives" : "there is no watchdog");
      // The pool's end begins without memory, and goes on when there is some.
      CountDownLatch full = new CountDownLatch(1);
      Thread closer =
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    awaitUninterrupted(full);
                    first.close();
                  });
      fillUp(8);
      full.countDown();
      LockSupport.parkNanos(PAUSE_NANOS);
      fill = null;
      closer.join(Duration.ofSeconds(20));
      Proc.await("the ends of all", () -> Proc.stubs().isEmpty());
      System.out.println("closed, children left: " + Proc.stubs().size());
      System.exit(0);
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
      try {
        latch.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }

    private static StubPool open(String name) {
      return StubPool.open(StubPoolOptions.builder().name(name).minIdle(2).maxStubs(4).build());
    }

    /** Takes all of the heap but for some bytes. */
    private static void fillUp(int but) {
      byte[] left = new byte[but];
      int size = 1 << 20;
      while (size > 8) {
        try {
          Object[] more = {fill, new byte[size]};
          fill = more;
        } catch (OutOfMemoryError e) {
          size /= 4;
        }
      }
      left[but / 2] = 1; // until here
    }

    private static void useFull(StubPool pool, int kind) {
      try {
        use(pool, kind, WHILE_FULL);
      } catch (OutOfMemoryError | StubPoolException e) {
        failures++; // a StubPoolException: a stub that an Error met is discarded
      }
    }

    private static void use(StubPool pool, int kind) {
      use(pool, kind, USUALLY);
    }

    private static void use(StubPool pool, int kind, Duration timeout) {
      Stub stub = pool.acquire(timeout);
      // No try-with-resources: an OutOfMemoryError that the JVM made in advance cannot suppress
      // itself.
      try {
        if (stub.syscall(Abi.SYS_getpid) != stub.pid()) {
          wrong("getpid");
        }
        if (kind >= 1) {
          stub.memory().mapAnonymous(CODE, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
          stub.memory().write(CODE, CALLS);
          stub.memory().protect(CODE, AddressSpace.PAGE_SIZE, Protection.READ_EXECUTE);
        }
        if (kind == 2) {
          stub.spawnChild().close();
        }
        if (kind == 3 && stub.run(Full::callTwice) != 2) {
          wrong("guest");
        }
      } finally {
        stub.close();
      }
    }

    private static int callTwice(Guest guest) {
      guest.registers().rip(CODE).rax(1);
      for (int number = 1; number <= 2; number++) {
        if (!(guest.resume() instanceof Trap.SystemCall call)) {
          return 0;
        }
        if (call.number() != number) {
          wrong("number");
        }
        guest.complete(number + 1);
      }
      return 2;
    }

    private static void wrong(String what) {
      if (!said) {
        said = true;
        fill = null;
        System.out.println("wrong: " + what);
        System.exit(3);
      }
    }
  }

  /** No thread to be had is an error of the call that wants one, and says what to do. */
  @Test
  void shouldOutliveALackOfThreads() {
    try (PidsCgroup cgroup = new PidsCgroup()) {
      ChildJvm.Outcome outcome =
          ChildJvm.run(
              cgroup.command(ChildJvm.command(Threadless.class, cgroup.path().toString())));
      assertThat(outcome.output())
          .contains(
              "open: StubPoolException: pthread_create: EAGAIN while starting thread stubpool-")
          .contains(
              "run: StubPoolException: pthread_create: EAGAIN while starting thread stubpool-guest-"
                  + "threadless; a limit on threads is reached: look at ulimit -u")
          .contains("clone: SystemCallException: clone: EAGAIN while making a guest thread of stub")
          .contains("works again: 7");
      assertThat(outcome.status()).isZero();
    }
  }

  /** Asks for threads where the cgroup allows none, and once it does. */
  static final class Threadless {
    public static void main(String[] arguments) throws Exception {
      Path cgroup = Path.of(arguments[0]);
      StubPoolOptions options =
          StubPoolOptions.builder().name("threadless").minIdle(0).maxStubs(2).build();
      try (StubPool pool = StubPool.open(options);
          Stub stub = pool.acquire()) {
        PidsCgroup.limit(cgroup, 1);
        say("open", () -> StubPool.open(options).close());
        say("run", () -> stub.run(guest -> 7));
        PidsCgroup.limit(cgroup, 10_000);
        stub.run(guest -> 7); // a guest tracer is there now, idle
        PidsCgroup.limit(cgroup, 1);
        say("clone", () -> stub.run(guest -> 7));
        PidsCgroup.limit(cgroup, 10_000);
        System.out.println("works again: " + stub.run(guest -> 7, Duration.ofSeconds(20)));
        if (stub.syscall(Abi.SYS_getpid) != stub.pid()) {
          System.exit(3);
        }
      }
      System.exit(Proc.stubs().isEmpty() ? 0 : 4);
    }

    private static void say(String what, Runnable call) {
      try {
        call.run();
        System.out.println(what + ": no failure");
      } catch (RuntimeException | Error e) {
        System.out.println(what + ": " + e.getClass().getSimpleName() + ": " + e.getMessage());
      }
    }
  }
}
