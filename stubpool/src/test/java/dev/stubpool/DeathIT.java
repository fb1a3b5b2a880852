package dev.stubpool;

import static dev.stubpool.IdleStubIT.onTracer;
import static dev.stubpool.testing.ChildJvm.command;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.calls.PtraceCalls;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.support.HeldCalls;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Proc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Stubs and sources that die at any moment: their holders are told, nobody else notices, and
 * nothing is left. What dies while nobody does anything with it, {@link StubIT} has.
 */
class DeathIT {

  private final StubPool pool =
      StubPool.open(StubPoolOptions.builder().name("deadly").minIdle(0).maxStubs(64).build());

  @AfterEach
  void shouldStillWork() {
    if (!pool.isClosed()) {
      try (Stub stub = pool.acquire()) {
        assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
      }
      Proc.await("books that add up", () -> addsUp(pool.stats()));
    }
    pool.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  static boolean addsUp(StubPoolStats now) {
    return now.created() == now.total() + now.discarded() + now.died();
  }

  // ---- onDeath ----

  @Test
  void shouldTellOfDeathInEachWay() {
    Stub killed = pool.acquire();
    CompletableFuture<String> death = deathOf(killed);
    assertThat(death).isNotDone();
    killed.kill();
    assertThat(soon(death)).isEqualTo("killed by SIGKILL");

    Stub fromOutside = pool.acquire();
    death = deathOf(fromOutside);
    ProcessCalls.kill(fromOutside.pid(), Abi.SIGKILL);
    assertThat(soon(death)).isEqualTo("killed by SIGKILL");
    assertThat(fromOutside.state()).isEqualTo(StubState.DEAD);
    assertThat(soon(deathOf(fromOutside))).as("asked again").isEqualTo("killed by SIGKILL");

    Stub dead = pool.acquire();
    ProcessCalls.kill(dead.pid(), Abi.SIGKILL);
    Proc.await("its death", () -> dead.state() == StubState.DEAD);
    assertThat(soon(deathOf(dead))).as("asked afterwards").isEqualTo("killed by SIGKILL");

    Stub leaving = pool.acquire();
    death = deathOf(leaving);
    exit(leaving.pid(), 3);
    assertThat(soon(death)).isEqualTo("exited with status 3");
    assertThatThrownBy(() -> leaving.syscall(Abi.SYS_getpid))
        .hasMessage(
            "stub "
                + leaving.pid()
                + " is dead (exited with status 3) while running a call in a stub");

    Stub last = pool.acquire();
    death = deathOf(last);
    pool.close();
    assertThat(soon(death)).isEqualTo("killed by SIGKILL");
    for (Stub stub : List.of(killed, fromOutside, dead, leaving, last)) {
      stub.close();
    }
  }

  /** Lets a stub call exit(2) when nobody waits for it. */
  private void exit(int pid, int status) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment registers = arena.allocate(Abi.REGS_SIZE, 8);
      onTracer(pool, () -> PtraceCalls.getRegisters(pid, registers.address()));
      registers.set(JAVA_LONG, Abi.REGS_rip, StubImage.get().address(ImageSymbols.STUB_CALL));
      registers.set(JAVA_LONG, Abi.REGS_rax, Abi.SYS_exit);
      registers.set(JAVA_LONG, Abi.REGS_orig_rax, -1);
      registers.set(JAVA_LONG, Abi.REGS_rdi, status);
      onTracer(pool, () -> PtraceCalls.setRegisters(pid, registers.address()));
      onTracer(pool, () -> PtraceCalls.resume(pid));
    }
  }

  @Test
  void shouldCancelWhenTheLeaseIsClosedFirst() {
    Stub stub = pool.acquire();
    CompletableFuture<String> death = deathOf(stub);
    CompletableFuture<String> second = deathOf(stub);
    stub.close();
    assertThatThrownBy(() -> soon(death)).isInstanceOf(CancellationException.class);
    assertThatThrownBy(() -> soon(second))
        .isInstanceOf(CancellationException.class)
        .hasMessage("the lease of stub " + stub.pid() + " was closed");
    String message = "this lease of stub " + stub.pid() + " is closed";
    assertThatThrownBy(stub::onDeath).isInstanceOf(IllegalStateException.class).hasMessage(message);

    try (Stub next = pool.acquire()) {
      assertThat(next.pid()).isEqualTo(stub.pid());
      CompletableFuture<String> nextDeath = deathOf(next);
      assertThatThrownBy(stub::onDeath).hasMessage(message);
      next.kill();
      assertThat(soon(nextDeath)).isEqualTo("killed by SIGKILL");
      assertThatThrownBy(() -> soon(death)).isInstanceOf(CancellationException.class);
      assertThatThrownBy(stub::onDeath).as("nor of a dead stub's").hasMessage(message);
    }
  }

  @Test
  void shouldRunNothingOfOthersOnTheTracerThread() {
    ConcurrentLinkedQueue<Thread> threads = new ConcurrentLinkedQueue<>();
    List<CompletableFuture<?>> all = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      Stub stub = pool.acquire();
      all.add(
          stub.onDeath()
              .handle((how, failure) -> threads.add(Thread.currentThread()))
              .toCompletableFuture());
      if (i % 2 == 0) {
        ProcessCalls.kill(stub.pid(), Abi.SIGKILL);
      } else {
        stub.close();
      }
    }
    all.forEach(DeathIT::soon);
    assertThat(threads).hasSize(20);
    assertThat(threads).noneMatch(thread -> thread.getName().startsWith("stubpool"));
  }

  /**
   * A thread has the CPUs of who starts it, and the tracer is bound to one: it must start none that
   * others use. In a JVM of its own, where the common pool and the scheduler of virtual threads
   * have none to spare.
   */
  @Test
  void shouldBindNoThreadOfOthers() {
    List<String> options =
        List.of("--enable-native-access=ALL-UNNAMED", "-Djdk.virtualThreadScheduler.parallelism=8");
    assertThat(
            ChildJvm.run(command(options, ChildJvm.classPath(Watching.class), Watching.class))
                .output())
        .isEqualTo(
            "told of death on %1$s\ngiven stubs on [%1$s]\n".formatted(ProcessCalls.affinity()));
  }

  /** Tells on which CPUs threads may run that the tracer calls upon. */
  static final class Watching {
    private static final int WAITERS = 6;

    public static void main(String[] arguments) throws InterruptedException {
      try (StubPool pool =
          StubPool.open(
              StubPoolOptions.builder()
                  .minIdle(0)
                  .maxStubs(WAITERS)
                  .affinity(Affinity.ONE_CPU)
                  .build())) {
        Stub stub = pool.acquire();
        CompletionStage<BitSet> where = stub.onDeath().thenApply(how -> ProcessCalls.affinity());
        stub.kill();
        System.out.println("told of death on " + soon(where.toCompletableFuture()));
        stub.close();
        System.out.println("given stubs on " + carriers(pool));
      }
    }

    /** Each virtual thread keeps the carrier that it is given, so that the next needs another. */
    private static Set<BitSet> carriers(StubPool pool) throws InterruptedException {
      List<Stub> taken = new ArrayList<>();
      for (int i = 0; i < WAITERS; i++) {
        taken.add(pool.acquire());
      }
      Set<BitSet> seen = ConcurrentHashMap.newKeySet();
      CountDownLatch given = new CountDownLatch(WAITERS);
      AtomicBoolean over = new AtomicBoolean();
      List<Thread> waiters = new ArrayList<>();
      for (int i = 1; i <= WAITERS; i++) {
        waiters.add(
            Thread.ofVirtual()
                .start(
                    () -> {
                      pool.acquire();
                      seen.add(ProcessCalls.affinity());
                      given.countDown();
                      while (!over.get()) {
                        Thread.onSpinWait();
                      }
                    }));
        int waiting = i;
        Proc.await("a waiter", () -> pool.stats().waiting() == waiting);
      }
      for (Stub stub : taken) {
        long before = given.getCount();
        stub.close();
        Proc.await("a stub", () -> given.getCount() < before);
      }
      over.set(true);
      for (Thread waiter : waiters) {
        waiter.join();
      }
      return seen;
    }
  }

  static CompletableFuture<String> deathOf(Stub stub) {
    return stub.onDeath().toCompletableFuture();
  }

  /** What a future completes with; the cause if it fails. */
  static <T> T soon(CompletableFuture<T> future) {
    try {
      return future.get(20, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new AssertionError(e.getCause());
    } catch (InterruptedException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  // ---- killed at a known moment ----

  /** The call under way fails, a stub that was being recycled or a source is replaced. */
  @ParameterizedTest
  @ValueSource(strings = {"call", "recycling", "birth", "copy"})
  void shouldSeeADeathInTheMiddleOfACall(String what) {
    String output = ChildJvm.run(command(KilledInCall.class, what)).output();
    HeldCalls.checkOutput(output);
  }

  // ---- killed at any moment ----

  /** What a tracer thread has made or traces, and not reaped. */
  static List<Integer> children(int tracer) {
    List<Integer> children = new ArrayList<>();
    for (String pid :
        Proc.read(Path.of("/proc/self/task/" + tracer + "/children")).split(" ", -1)) {
      if (!pid.isBlank()) {
        children.add(Integer.parseInt(pid));
      }
    }
    return children;
  }

  /** SIGKILL to a stub of ours; false if the number is not one's, or no longer. */
  private static boolean kill(int pid) {
    return ChaosKiller.send(pid, Abi.SIGKILL);
  }

  @Test
  void shouldMakeOthersForNewbornsThatAreKilled() throws InterruptedException {
    int source = pool.sourcePid();
    int tracer = (int) onTracer(pool, ProcessCalls::tid);
    AtomicBoolean over = new AtomicBoolean();
    AtomicLong kills = new AtomicLong();
    Thread killer =
        Thread.ofPlatform()
            .start(
                () -> {
                  Set<Integer> seen = new HashSet<>(List.of(source));
                  while (!over.get()) {
                    for (int child : children(tracer)) {
                      if (seen.add(child) && seen.size() % 2 == 0 && kill(child)) {
                        kills.incrementAndGet();
                      }
                    }
                  }
                });
    int died = 0;
    int rounds = Effort.cases(400, 20_000);
    for (int i = 0; i < rounds; i++) {
      try (Stub stub = pool.acquire()) {
        try {
          assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
          stub.kill();
        } catch (StubDiedException e) {
          assertThat(e.pid()).isEqualTo(stub.pid());
          died++;
        }
      }
    }
    over.set(true);
    killer.join();
    System.out.printf(
        "DeathIT: %d newborns killed, %d of them were somebody's by then%n", kills.get(), died);
    assertThat(kills.get()).isPositive();
    assertThat(pool.sourcePid()).isEqualTo(source);
  }

  @Test
  void shouldServeAllWhenTheSourceDiesInTheMiddle() throws InterruptedException {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    int rounds = Effort.cases(8, 500);
    int hits = 0;
    StubPoolOptions options =
        StubPoolOptions.builder()
            .name("sourceless")
            .minIdle(0)
            .maxStubs(64)
            .onRelease(OnRelease.DISCARD)
            .build();
    try (StubPool births = StubPool.open(options)) {
      int tracer = (int) onTracer(births, ProcessCalls::tid);
      for (int round = 0; round < rounds; round++) {
        int source = births.sourcePid();
        int born = 1 + random.nextInt(20);
        ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
        List<Thread> waiters = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
          waiters.add(
              Thread.ofVirtual()
                  .start(
                      () -> {
                        try (Stub stub = births.acquire()) {
                          assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
                        } catch (Throwable e) {
                          failures.add(e);
                        }
                      }));
        }
        Proc.await("births", () -> children(tracer).size() > born || births.stats().created() > 0);
        assertThat(kill(source)).isTrue();
        hits += births.stats().forging() > 0 ? 1 : 0;
        for (Thread waiter : waiters) {
          waiter.join();
        }
        assertThat(failures).as("round %d, seed %d", round, seed).isEmpty();
        Proc.await("another source", () -> births.sourcePid() != source);
        Proc.await("the ends of all", () -> births.stats().total() == 0);
        assertThat(births.stats()).as("round %d", round).matches(DeathIT::addsUp);
        births.acquire().close(); // makes a source
        Proc.await("a source", () -> births.sourcePid() != 0);
      }
    }
    System.out.printf("DeathIT: %d of %d sources killed in a batch%n", hits, rounds);
  }
}
