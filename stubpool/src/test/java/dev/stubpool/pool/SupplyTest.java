package dev.stubpool.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.AcquireInterruptedException;
import dev.stubpool.AcquireTimeoutException;
import dev.stubpool.OnRelease;
import dev.stubpool.OnStubDeath;
import dev.stubpool.StubPoolClosedException;
import dev.stubpool.StubPoolException;
import dev.stubpool.StubPoolFullException;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.StubPoolStats;
import dev.stubpool.StubState;
import dev.stubpool.SystemCallException;
import dev.stubpool.TooManyWaitersException;
import dev.stubpool.abi.Errno;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.forge.Forge;
import dev.stubpool.pool.FakeStubs.Recycling;
import dev.stubpool.pool.FakeStubs.Waiter;
import dev.stubpool.ptrace.Tracees;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Logs;
import dev.stubpool.testing.Proc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Who gets a stub, when more are made, and what becomes of those given back: without a kernel. */
class SupplyTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Duration WINDOW = Duration.ofMinutes(1);

  private final SystemCallException refusal =
      Failures.make().systemCall("clone", Errno.EAGAIN, "forging a stub", "look at ulimit -u");

  private static void use(Lease stub) {
    Tracees.use(stub.process().tracee);
  }

  private static Lease used(Lease stub) {
    use(stub);
    return stub;
  }

  private static int[] pids(List<Lease> stubs) {
    return stubs.stream().mapToInt(Lease::pid).toArray();
  }

  private static StubPoolOptions.Builder options() {
    return StubPoolOptions.builder().idleTimeout(WINDOW);
  }

  // ---- idle stubs and waiters ----

  @Test
  void shouldGiveTheIdleStubThatWasUsedLast() {
    FakeStubs fake = FakeStubs.withMost(5);
    List<Lease> stubs = fake.takeNew(5);
    for (int i : new int[] {3, 0, 4, 1, 2}) {
      stubs.get(i).close();
    }
    assertThat(fake.take()).as("not idle before it is reset").isNull();
    fake.settle();
    assertThat(fake.stats().idle()).isEqualTo(5);
    for (int i : new int[] {2, 1, 4, 0, 3}) {
      Lease stub = fake.take();
      assertThat(stub.pid()).isEqualTo(stubs.get(i).pid());
      assertThat(stub.state()).isEqualTo(StubState.LEASED);
      assertThat(stub).isNotSameAs(stubs.get(i));
    }
    assertThat(fake.take()).isNull();
    assertThat(fake.done()).isEmpty();
  }

  @Test
  void shouldServeWaitersInTheOrderOfTheirComing() {
    FakeStubs fake = FakeStubs.withMost(1);
    Lease only = fake.takeNew(1).getFirst();
    List<Waiter> line = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      line.add(fake.new Waiter());
    }
    fake.settle();
    for (Waiter first : line) {
      assertThat(line.stream().filter(waiter -> waiter.outcome() == null).findFirst())
          .containsSame(first);
      only.close();
      fake.settle();
      only = first.stub();
      assertThat(only.state()).isEqualTo(StubState.LEASED);
    }
    assertThat(fake.done()).isEmpty();
  }

  /**
   * The tracer may find the line empty, and make a stub idle, while the request of somebody who
   * waits is on its way to the line.
   */
  @Test
  void shouldNotGiveToWhoComesLaterWhatSomebodyWaitsFor() throws Exception {
    FakeStubs fake = FakeStubs.withMost(1);
    Lease only = fake.takeNew(1).getFirst();
    CompletableFuture<Lease> first = new CompletableFuture<>();
    Thread.ofVirtual().start(() -> complete(first, fake, PATIENCE));
    Proc.await("a request on its way", () -> !fake.tasks.isEmpty());
    only.close();
    fake.supply.turn();
    assertThat(fake.stats().idle()).isEqualTo(1);
    assertThat(fake.take()).as("taken by who came later").isNull();
    fake.settle();
    Lease served = first.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    assertThat(served.pid()).isEqualTo(only.pid());
    served.close();
    fake.settle();
    assertThat(fake.take()).as("nobody waits any more").isNotNull();
  }

  @Test
  void shouldLetNobodyWaitForWhoGaveUp() {
    FakeStubs fake = FakeStubs.withMost(1);
    fake.takeNew(1).getFirst().close();
    fake.settle();
    assertThatThrownBy(() -> fake.supply.await(Duration.ZERO))
        .isInstanceOf(AcquireTimeoutException.class);
    assertThat(fake.take()).isNotNull();
  }

  @Test
  void shouldServeByIdleThenByReturnedThenByNewStubs() {
    FakeStubs fake = FakeStubs.withMost(5);
    List<Lease> stubs = fake.takeNew(3);
    stubs.get(1).close();
    fake.settle();
    use(stubs.get(0));
    stubs.get(0).close();
    List<Waiter> line = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      line.add(fake.new Waiter());
    }
    // One turn: the idle one, and the one that came back.
    assertThat(fake.turn()).isTrue();
    assertThat(line.get(0).stub().pid()).isEqualTo(stubs.get(1).pid());
    assertThat(line.get(1).stub().pid()).isEqualTo(stubs.get(0).pid());
    assertThat(line.get(2).outcome()).isNull();
    assertThat(fake.done()).containsExactly("recycle " + stubs.get(0).pid());
    // The next: as many new ones as there is room for, at once.
    assertThat(fake.turn()).isTrue();
    assertThat(fake.done()).hasSize(3).contains("forge 2");
    assertThat(line.get(3).stub().state()).isEqualTo(StubState.LEASED);
    assertThat(line.get(4).outcome()).isNull();
    assertThat(fake.turn()).as("nothing to do until somebody gives one back").isFalse();
    stubs.get(2).close();
    fake.settle();
    assertThat(line.get(4).stub().pid()).isEqualTo(stubs.get(2).pid());
    assertThat(fake.stats().total()).isEqualTo(5);
  }

  @Test
  void shouldForgeOnceForAllWhoWait() {
    FakeStubs fake = FakeStubs.withMost(2 * Forge.MOST_AT_ONCE);
    int count = Forge.MOST_AT_ONCE + 76;
    List<Waiter> line = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      line.add(fake.new Waiter());
    }
    fake.settle();
    assertThat(fake.done().stream().filter(what -> what.startsWith("forge")))
        .containsExactly("forge " + Forge.MOST_AT_ONCE, "forge 76");
    assertThat(line.stream().mapToInt(waiter -> waiter.stub().pid()).distinct().count())
        .isEqualTo(count);
  }

  @Test
  void shouldCountThoseBeingForged() {
    FakeStubs fake = FakeStubs.withMost(3);
    List<Integer> forging = new ArrayList<>();
    fake.whileForging = () -> forging.add(fake.stats().forging());
    fake.afterBirth = fake.whileForging;
    fake.takeNew(2);
    fake.refusal = refusal;
    fake.untilRefusal = 0;
    Waiter refused = fake.new Waiter();
    fake.settle();
    assertThat(refused.outcome()).isInstanceOf(SystemCallException.class);
    assertThat(forging).containsExactly(2, 1, 0, 1);
    assertThat(fake.stats().forging()).isZero();
  }

  @Test
  void shouldGiveAReleasedStubToTheFirstWaiterRatherThanForge() {
    FakeStubs fake = FakeStubs.withMost(2);
    Lease stub = used(fake.takeNew(1).getFirst());
    Waiter waiter = fake.new Waiter();
    stub.close();
    assertThat(fake.wakes).hasValue(1);
    fake.settle();
    assertThat(waiter.stub().pid()).isEqualTo(stub.pid());
    assertThat(fake.done()).containsExactly("recycle " + stub.pid());
  }

  @Test
  void shouldServeAgainWhereStubsDiedBeforeTheyWereBorn() {
    FakeStubs fake = FakeStubs.withMost(4);
    List<Waiter> line = List.of(fake.new Waiter(), fake.new Waiter(), fake.new Waiter());
    fake.stillborn = 2;
    fake.settle();
    assertThat(fake.done().stream().filter(what -> what.startsWith("forge")))
        .containsExactly("forge 3", "forge 2");
    assertThat(line).allMatch(waiter -> waiter.outcome() instanceof Lease);
    assertThat(fake.stats().created()).isEqualTo(3);
  }

  @Test
  void shouldPassOverWhoGaveUp() {
    FakeStubs fake = FakeStubs.withMost(3);
    Waiter first = fake.new Waiter();
    Waiter second = fake.new Waiter();
    Waiter third = fake.new Waiter();
    assertThat(first.giveUp()).isTrue();
    fake.settle();
    assertThat(fake.done().getFirst()).isEqualTo("forge 2");
    assertThat(second.stub().pid()).isNotEqualTo(third.stub().pid());
    assertThat(second.giveUp()).as("who has a stub cannot give up").isFalse();
    assertThat(first.hasGivenUp()).isTrue();
  }

  @Test
  void shouldForgeForNobodyWhoGaveUp() {
    FakeStubs fake = FakeStubs.withMost(3);
    List.of(fake.new Waiter(), fake.new Waiter()).forEach(Waiter::giveUp);
    fake.settle();
    assertThat(fake.done()).isEmpty();
  }

  /** The next in line gets what was made for somebody who is gone; the last one's is idle. */
  @Test
  void shouldLoseNoStubMadeForWhoGaveUpMeanwhile() {
    FakeStubs fake = FakeStubs.withMost(2);
    Waiter first = fake.new Waiter();
    Waiter second = fake.new Waiter();
    Waiter third = fake.new Waiter();
    fake.whileForging = first::giveUp;
    fake.settle();
    assertThat(fake.done().getFirst()).isEqualTo("forge 2");
    assertThat(second.outcome()).isInstanceOf(Lease.class);
    assertThat(third.outcome()).isInstanceOf(Lease.class);
    second.stub().close();
    fake.settle();
    third.stub().close();
    fake.settle();

    FakeStubs other = FakeStubs.withMost(2);
    Waiter alone = other.new Waiter();
    other.whileForging = alone::giveUp;
    other.settle();
    assertThat(other.stats().idle()).isEqualTo(1);
    assertThat(other.take()).isNotNull();
  }

  /** Threads that give up at any moment, against a thread that serves them. */
  @Test
  void shouldLoseNoStubToWaitersThatGiveUp() throws InterruptedException {
    int rounds = Effort.cases(20_000, 200_000);
    long seed = new Random().nextLong();
    System.out.println("SupplyTest: waiters that give up, seed " + seed);
    FakeStubs fake = FakeStubs.withMost(2);
    AtomicBoolean over = new AtomicBoolean();
    ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    Thread tracer =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try {
                    while (!over.get()) {
                      fake.turn();
                      Thread.onSpinWait();
                    }
                  } catch (Throwable e) {
                    failures.add(e);
                  }
                });
    List<Thread> waiters = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Random random = new Random(seed + i);
      waiters.add(
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    for (int round = 0; round < rounds && failures.isEmpty(); round++) {
                      try (Lease stub =
                          fake.supply.await(Duration.ofNanos(random.nextInt(5_000)))) {
                        assertThat(stub.state()).isEqualTo(StubState.LEASED);
                      } catch (AcquireTimeoutException e) {
                        Thread.onSpinWait(); // what the test is about
                      } catch (Throwable e) {
                        failures.add(e);
                      }
                    }
                  }));
    }
    for (Thread waiter : waiters) {
      waiter.join();
    }
    over.set(true);
    tracer.join();
    assertThat(failures).as("seed %d", seed).isEmpty();
    fake.settle();
    StubPoolStats stats = fake.stats();
    assertThat(stats.idle()).as("seed %d, %s", seed, stats).isEqualTo(stats.total()).isPositive();
    assertThat(stats.waiting()).isZero();
    assertThat(stats.lost()).as("leases that nobody took").isZero();
    assertThat(fake.takeNew(2)).doesNotContainNull();
  }

  // ---- what waiters are told ----

  @Test
  void shouldTellWhatThePoolLacksWhenTimeIsOver() {
    FakeStubs fake = FakeStubs.withMost(2);
    assertThatThrownBy(() -> fake.supply.await(Duration.ZERO))
        .isInstanceOf(AcquireTimeoutException.class)
        .hasMessage("pool fake: no stub within PT0S; total=0 idle=0 leased=0 forging=0 waiting=1");
    List<Lease> stubs = fake.takeNew(2);
    assertThatThrownBy(() -> fake.supply.await(Duration.ofMillis(5)))
        .isInstanceOf(AcquireTimeoutException.class)
        .hasMessage(
            "pool fake: no stub within PT0.005S; total=2 idle=0 leased=2 forging=0 waiting=1; all 2"
                + " (maxStubs) are in use");
    assertThat(fake.stats().waiting()).isZero();
    stubs.getFirst().close();
    fake.settle();
    assertThat(fake.stats().idle()).as("nobody waits any more").isEqualTo(1);
  }

  @Test
  void shouldTakeTheLongestAndTheMostNegativeTimeout() throws Exception {
    FakeStubs fake = FakeStubs.withMost(1);
    Duration longest = Duration.ofSeconds(Long.MAX_VALUE);
    CompletableFuture<Lease> waiter = new CompletableFuture<>();
    Thread.ofVirtual().start(() -> complete(waiter, fake, longest));
    Proc.await("a waiter", () -> !fake.tasks.isEmpty());
    fake.settle();
    assertThat(waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isNotNull();

    CompletableFuture<Lease> late = new CompletableFuture<>();
    Thread.ofVirtual().start(() -> complete(late, fake, Duration.ofSeconds(Long.MIN_VALUE)));
    Proc.await("its end", late::isDone);
    assertThatThrownBy(late::join).hasCauseInstanceOf(AcquireTimeoutException.class);
  }

  private static void complete(CompletableFuture<Lease> outcome, FakeStubs fake, Duration timeout) {
    try {
      outcome.complete(fake.supply.await(timeout));
    } catch (Throwable e) {
      outcome.completeExceptionally(e);
    }
  }

  @Test
  void shouldLeaveNobodyInLineWhoWasInterrupted() throws InterruptedException {
    FakeStubs fake = FakeStubs.withMost(1);
    Lease stub = fake.takeNew(1).getFirst();
    CompletableFuture<String> outcome = new CompletableFuture<>();
    Thread waiter =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    fake.supply.await(PATIENCE);
                  } catch (AcquireInterruptedException e) {
                    outcome.complete(e.getMessage() + Thread.currentThread().isInterrupted());
                  }
                });
    Proc.await("a waiter", () -> fake.stats().waiting() == 1);
    fake.settle();
    waiter.interrupt();
    waiter.join();
    assertThat(outcome)
        .isCompletedWithValue("interrupted while waiting for a stub of pool faketrue");
    assertThat(fake.stats().waiting()).isZero();
    stub.close();
    fake.settle();
    assertThat(fake.stats().idle()).isEqualTo(1);
  }

  @Test
  void shouldRefuseMoreWaitersThanMaxWaiters() {
    FakeStubs fake = new FakeStubs(StubPoolOptions.builder().minIdle(0).maxStubs(4).maxWaiters(2));
    CompletableFuture<Lease> first = new CompletableFuture<>();
    CompletableFuture<Lease> second = new CompletableFuture<>();
    Thread.ofVirtual().start(() -> complete(first, fake, PATIENCE));
    Thread.ofVirtual().start(() -> complete(second, fake, PATIENCE));
    Proc.await("two waiters", () -> fake.tasks.size() == 2);
    assertThatThrownBy(() -> fake.supply.await(PATIENCE))
        .isInstanceOf(TooManyWaitersException.class)
        .hasMessage(
            "pool fake: 2 threads already wait for a stub (maxWaiters); total=0 idle=0 leased=0"
                + " forging=0 waiting=2");
    assertThat(fake.tasks).as("who is refused does not stand in line").hasSize(2);
    fake.settle();
    assertThat(first.join().pid()).isNotEqualTo(second.join().pid());
    Proc.await("both gone", () -> fake.stats().waiting() == 0);
    CompletableFuture<Lease> third = new CompletableFuture<>();
    Thread.ofVirtual().start(() -> complete(third, fake, PATIENCE));
    Proc.await("a waiter", () -> fake.tasks.size() == 1);
    fake.settle();
    assertThat(third.join().state()).isEqualTo(StubState.LEASED);
  }

  @Test
  void shouldTellExactlyThoseWhoCouldNotBeServedWhy() {
    FakeStubs fake = FakeStubs.withMost(4);
    List<Waiter> line = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      line.add(fake.new Waiter());
    }
    fake.refusal = refusal;
    fake.untilRefusal = 2;
    fake.turn();
    assertThat(fake.done()).hasSize(3).contains("forge 4");
    assertThat(line.get(0).stub().pid()).isNotEqualTo(line.get(1).stub().pid());
    for (int i : new int[] {2, 3}) {
      SystemCallException failure = (SystemCallException) line.get(i).outcome();
      assertThat(failure).hasMessage(refusal.getMessage()).isNotSameAs(refusal);
      assertThat(failure.errno()).isEqualTo(Errno.EAGAIN);
    }
    assertThat(line.get(2).outcome()).isNotSameAs(line.get(3).outcome());
    assertThat(line.get(4).outcome()).isNull();
    assertThat(line.get(5).outcome()).isNull();
    fake.settle();
    assertThat(fake.done()).hasSize(3).contains("forge 2");
    assertThat(line.get(4).stub().pid()).isNotEqualTo(line.get(5).stub().pid());
    assertThat(fake.stats().total()).isEqualTo(4);
  }

  @Test
  void shouldTellOfOtherFailuresByTheirMessage() {
    FakeStubs fake = FakeStubs.withMost(2);
    Waiter waiter = fake.new Waiter();
    fake.refusal = new IllegalStateException("the factory burned down");
    fake.untilRefusal = 0;
    fake.settle();
    assertThat((Throwable) waiter.outcome())
        .isInstanceOf(StubPoolException.class)
        .hasMessage("the factory burned down")
        .hasCauseInstanceOf(IllegalStateException.class);
    Waiter next = fake.new Waiter();
    fake.settle();
    assertThat(next.outcome()).isInstanceOf(Lease.class);
  }

  @Test
  void shouldTellWaitersThatThePoolIsClosed() {
    FakeStubs fake = FakeStubs.withMost(1);
    Lease stub = fake.takeNew(1).getFirst();
    Waiter waiter = fake.new Waiter();
    Waiter gone = fake.new Waiter();
    fake.settle();
    gone.giveUp();
    fake.supply.close();
    assertThat((Throwable) waiter.outcome())
        .isInstanceOf(StubPoolClosedException.class)
        .hasMessage("pool fake is closed");
    assertThat(gone.hasGivenUp()).isTrue();
    assertThat(stub.state()).isEqualTo(StubState.LEASED);
  }

  @Test
  void shouldCountNothingWhenClosedAndDead() {
    FakeStubs fake = FakeStubs.withMost(4);
    List<Lease> stubs = fake.takeNew(4);
    stubs.get(0).close();
    stubs.get(1).close();
    fake.bury(stubs.get(0).tracee(), "killed in the queue");
    fake.supply.close();
    assertThat(fake.stats().total()).isEqualTo(3);
    fake.bury(stubs.get(1).tracee(), "killed in the queue of a closed pool");
    stubs.get(2).close();
    fake.bury(stubs.get(2).tracee(), "killed after its return to a closed pool");
    fake.bury(stubs.get(3).tracee(), "killed while leased");
    stubs.get(3).close();
    StubPoolStats stats = fake.stats();
    assertThat(stats.total()).isZero();
    assertThat(stats.leased()).isZero();
    assertThat(stats.resetting()).isZero();
    assertThat(stats.died()).isEqualTo(4);
  }

  // ---- stubs that are kept ready, and trimmed ----

  @Test
  void shouldKeepStubsReadyInGrowingBatches() {
    FakeStubs fake = new FakeStubs(options().minIdle(101).maxStubs(200));
    List<Integer> idle = new ArrayList<>();
    while (fake.turn()) {
      idle.add(fake.stats().idle());
    }
    assertThat(fake.done().stream().filter(what -> what.startsWith("forge")))
        .containsExactly(
            "forge 1",
            "forge 1",
            "forge 2",
            "forge 4",
            "forge 8",
            "forge 16",
            "forge 32",
            "forge 32",
            "forge 5");
    assertThat(idle).containsExactly(1, 2, 4, 8, 16, 32, 64, 96, 101);
    fake.settle();
    assertThat(fake.done()).isEmpty();
  }

  @Test
  void shouldRefillWhatWasTaken() {
    FakeStubs fake = new FakeStubs(options().minIdle(4).maxStubs(6));
    fake.settle();
    fake.done();
    Lease taken = fake.take();
    fake.take();
    fake.settle();
    assertThat(fake.done().stream().filter(what -> what.startsWith("forge")))
        .containsExactly("forge 2");
    fake.take();
    fake.settle();
    assertThat(fake.done()).as("no more than maxStubs").isEmpty();
    assertThat(fake.stats().idle()).isEqualTo(3);
    taken.close();
    fake.settle();
    assertThat(fake.stats().idle()).isEqualTo(4);
  }

  @Test
  void shouldRefillOnlyWhenNobodyWaitsAndNothingHasComeBack() {
    FakeStubs fake = new FakeStubs(options().minIdle(2).maxStubs(10));
    Waiter first = fake.new Waiter();
    assertThat(fake.turn()).isTrue();
    assertThat(fake.done()).hasSize(2).contains("forge 1");
    assertThat(first.outcome()).isInstanceOf(Lease.class);
    fake.settle();
    fake.done();
    // Both idle ones are taken: what comes back is seen to before what is missing is made.
    Lease back = used(fake.take());
    Lease kept = fake.take();
    back.close();
    assertThat(fake.turn()).isTrue();
    assertThat(fake.done()).containsExactly("recycle " + back.pid());
    assertThat(kept.state()).isEqualTo(StubState.LEASED);
    assertThat(fake.turn()).isTrue();
    assertThat(fake.done()).hasSize(2).contains("forge 1");
    assertThat(fake.turn()).isFalse();
  }

  @Test
  void shouldRestAfterTheKernelRefusedTheBackground() {
    FakeStubs fake = new FakeStubs(options().minIdle(3).maxStubs(10));
    fake.refusal = refusal;
    fake.untilRefusal = 0;
    try (Logs logs = new Logs(Supply.class)) {
      fake.settle();
      assertThat(logs.lines())
          .containsExactly(
              "WARN pool fake: cannot keep 3 stubs ready: clone: EAGAIN while forging a stub; look"
                  + " at ulimit -u; next try in 1 s");
    }
    assertThat(fake.done()).containsExactly("forge 1");
    fake.pass(Duration.ofNanos(999_999_999));
    fake.settle();
    assertThat(fake.done()).isEmpty();

    Waiter waiter = fake.new Waiter();
    fake.settle();
    assertThat(waiter.outcome()).as("who waits does not rest").isInstanceOf(Lease.class);
    assertThat(fake.done()).contains("forge 1");

    fake.pass(Duration.ofNanos(1));
    fake.settle();
    assertThat(fake.stats().idle()).isEqualTo(3);
  }

  @Test
  void shouldNotRestAfterAWaitersRefusal() {
    FakeStubs fake = new FakeStubs(options().minIdle(1).maxStubs(10));
    Waiter waiter = fake.new Waiter();
    fake.refusal = refusal;
    fake.untilRefusal = 0;
    fake.settle();
    assertThat(waiter.outcome()).isInstanceOf(SystemCallException.class);
    assertThat(fake.stats().idle()).isEqualTo(1);
  }

  private static FakeStubs sixIdle(StubPoolOptions.Builder options) {
    return idle(6, options);
  }

  /** Idle stubs in a pool that wants two, at the beginning of a window. */
  private static FakeStubs idle(int count, StubPoolOptions.Builder options) {
    FakeStubs fake = new FakeStubs(options.minIdle(2).maxStubs(count));
    fake.takeNew(count).forEach(Lease::close);
    fake.settle();
    fake.pass(WINDOW);
    fake.settle();
    assertThat(fake.done()).as("they were not idle for the whole of the first").isEmpty();
    assertThat(fake.stats().idle()).isEqualTo(count);
    return fake;
  }

  @Test
  void shouldTrimWhatStayedIdleForAWholeWindow() {
    FakeStubs fake = sixIdle(options());
    fake.pass(WINDOW.minusNanos(1));
    fake.settle();
    assertThat(fake.done()).isEmpty();
    fake.pass(Duration.ofNanos(1));
    fake.settle();
    assertThat(fake.done()).hasSize(4).allMatch(what -> what.startsWith("discard"));
    for (int window = 0; window < 3; window++) {
      fake.settle();
      fake.pass(WINDOW);
    }
    assertThat(fake.done()).as("never below minIdle").isEmpty();
    assertThat(fake.stats()).isEqualTo(FakeStubs.stats(2, 2, 0, 0, 0, 0, 6, 0, 4, 0, 0));
  }

  @Test
  void shouldKeepWhatWasNeededWithinTheWindow() {
    FakeStubs fake = sixIdle(options());
    fake.pass(WINDOW.dividedBy(2));
    List<Lease> needed = List.of(fake.take(), fake.take(), fake.take());
    needed.forEach(Lease::close);
    fake.settle();
    fake.pass(WINDOW.dividedBy(2));
    fake.settle();
    assertThat(fake.done()).as("three stayed idle, and two are wanted").hasSize(1);
    assertThat(fake.stats().idle()).isEqualTo(5);
    fake.pass(WINDOW);
    fake.settle();
    assertThat(fake.stats().idle()).as("after a quiet window").isEqualTo(2);
  }

  @Test
  void shouldNotTrimWhatIsInUseAgain() {
    FakeStubs fake = idle(20, options());
    fake.pass(WINDOW);
    fake.turn();
    assertThat(fake.done()).as("a few a turn").hasSize(8);
    List<Lease> needed = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      needed.add(fake.take());
    }
    fake.settle();
    assertThat(fake.done()).as("two are left, and wanted").isEmpty();
    assertThat(fake.stats().idle()).isEqualTo(2);
    needed.forEach(Lease::close);
    fake.settle();
    assertThat(fake.done()).as("they were needed in this window").isEmpty();
    assertThat(fake.stats().idle()).isEqualTo(12);
  }

  /** The stub on top of the stack is the one that is in use. */
  @Test
  void shouldTrimTheStubsThatWereIdleForLongest() {
    FakeStubs fake = sixIdle(options());
    Lease hot = fake.take();
    hot.close();
    fake.settle();
    for (int i = 0; i < 30; i++) {
      fake.pass(WINDOW.dividedBy(10));
      fake.settle();
      Lease stub = fake.take();
      assertThat(stub.pid()).as("the one in steady use").isEqualTo(hot.pid());
      fake.settle();
      stub.close();
      fake.settle();
    }
    assertThat(fake.stats().total()).as("two wanted, and one in use").isEqualTo(3);
    assertThat(fake.stats().discarded()).isEqualTo(3);
  }

  @Test
  void shouldMakeRoomForACopyByTheStubThatWasIdleForLongest() {
    FakeStubs fake = FakeStubs.withMost(6);
    List<Lease> stubs = fake.takeNew(6);
    for (int i : new int[] {3, 1, 5, 2, 4}) {
      stubs.get(i).close();
      fake.settle();
    }
    fake.supply.spawn(stubs.getFirst());
    fake.supply.spawn(stubs.getFirst());
    assertThat(fake.done().stream().filter(what -> what.startsWith("discard")))
        .containsExactly("discard " + stubs.get(3).pid(), "discard " + stubs.get(1).pid());
    assertThat(fake.take().pid()).isEqualTo(stubs.get(4).pid());
  }

  /** Copies come back as idle stubs, and no copy is ever made from one. */
  @Test
  void shouldKeepNoMoreIdleThanWereAcquired() {
    FakeStubs fake = new FakeStubs(options().minIdle(4).maxStubs(1000));
    Lease parent = fake.takeNew(1).getFirst();
    int most = 0;
    for (int i = 0; i < 400; i++) {
      used(fake.supply.spawn(parent)).close();
      fake.settle();
      fake.pass(Duration.ofMillis(20));
      most = Math.max(most, fake.stats().idle());
    }
    assertThat(most).as("those of about a second").isBetween(50, 60);
    fake.pass(Duration.ofSeconds(1));
    fake.settle();
    assertThat(fake.stats().idle()).isEqualTo(4);
  }

  @Test
  void shouldDiscardIdleStubsForACopyThatTheKernelRefused() {
    FakeStubs fake = FakeStubs.withMost(20);
    List<Lease> stubs = fake.takeNew(9);
    stubs.subList(1, 9).forEach(Lease::close);
    fake.settle();
    fake.refusal = refusal;
    assertThat(fake.supply.spawn(stubs.getFirst()).state()).isEqualTo(StubState.LEASED);
    assertThat(fake.stats().idle()).as("half of the idle").isEqualTo(4);
    assertThat(fake.take().pid()).as("the warmest stay").isEqualTo(stubs.get(8).pid());
  }

  @Test
  void shouldTellOfTheRefusalWhenNothingIsLeftToDiscard() {
    FakeStubs fake = FakeStubs.withMost(20);
    List<Lease> stubs = fake.takeNew(9);
    stubs.subList(1, 9).forEach(Lease::close);
    assertThatThrownBy(
            () ->
                fake.supply.withEviction(
                    () -> {
                      throw refusal;
                    }))
        .isSameAs(refusal);
    assertThat(fake.stats().total()).isEqualTo(1);

    SystemCallException other = Failures.make().systemCall("clone", Errno.EINVAL, "copying a stub");
    fake.takeNew(1).getFirst().close();
    fake.settle();
    assertThatThrownBy(
            () ->
                fake.supply.withEviction(
                    () -> {
                      throw other;
                    }))
        .isSameAs(other);
    assertThat(fake.stats().idle()).as("it would not help").isEqualTo(1);
  }

  @Test
  void shouldTrimNothingWhereTheDeathOfAStubIsTheJvms() {
    FakeStubs fake = sixIdle(options().onStubDeath(OnStubDeath.KILL_JVM));
    for (int window = 0; window < 3; window++) {
      fake.pass(WINDOW);
      fake.settle();
    }
    assertThat(fake.done()).isEmpty();
    assertThat(fake.stats().idle()).isEqualTo(6);
  }

  // ---- stubs given back ----

  @Test
  void shouldRecycleOnlyWhatWasUsed() {
    FakeStubs fake = FakeStubs.withMost(2);
    List<Lease> stubs = fake.takeNew(2);
    use(stubs.get(1));
    stubs.forEach(Lease::close);
    fake.settle();
    assertThat(fake.done()).containsExactly("recycle " + stubs.get(1).pid());
    assertThat(fake.stats().recycled()).isEqualTo(1);
    assertThat(fake.stats().idle()).isEqualTo(2);
    fake.take().close();
    fake.take().close();
    fake.settle();
    assertThat(fake.done()).as("like new, until it is used again").isEmpty();
  }

  @Test
  void shouldDiscardWhatCannotBeRecycled() {
    FakeStubs fake = FakeStubs.withMost(4);
    List<Lease> stubs = fake.takeNew(4);
    stubs.forEach(SupplyTest::use);
    fake.recycling.put(stubs.get(0).pid(), Recycling.REFUSED);
    fake.recycling.put(stubs.get(1).pid(), Recycling.FAILED);
    fake.recycling.put(stubs.get(2).pid(), Recycling.BROKEN);
    fake.recycling.put(stubs.get(3).pid(), Recycling.DIED);
    int[] pids = pids(stubs);
    try (Logs logs = new Logs(Supply.class)) {
      stubs.forEach(Lease::close);
      fake.settle();
      assertThat(logs.lines())
          .containsExactly(
              "WARN pool fake: stub "
                  + pids[0]
                  + " is discarded instead of recycled: signal 10 is pending",
              "WARN pool fake: stub "
                  + pids[1]
                  + " is discarded instead of recycled: munmap: ENOMEM while recycling a stub",
              "WARN pool fake: stub "
                  + pids[2]
                  + " is discarded instead of recycled: java.lang.IllegalStateException: a defect");
    }
    assertThat(fake.done())
        .containsExactly(
            "recycle " + pids[0],
            "discard " + pids[0],
            "recycle " + pids[1],
            "discard " + pids[1],
            "recycle " + pids[2],
            "discard " + pids[2],
            "recycle " + pids[3]);
    assertThat(fake.stats()).isEqualTo(FakeStubs.stats(0, 0, 0, 0, 0, 0, 4, 0, 3, 1, 0));
    assertThat(fake.take()).isNull();
  }

  @Test
  void shouldSayThatAFailedRecycleEndsTheJvm() {
    FakeStubs fake =
        new FakeStubs(options().minIdle(0).maxStubs(1).onStubDeath(OnStubDeath.KILL_JVM));
    Lease stub = used(fake.takeNew(1).getFirst());
    fake.recycling.put(stub.pid(), Recycling.REFUSED);
    try (Logs logs = new Logs(Supply.class)) {
      stub.close();
      fake.settle();
      assertThat(logs.lines())
          .containsExactly(
              "ERROR pool fake: stub "
                  + stub.pid()
                  + " cannot be reset: signal 10 is pending; it is killed, which ends"
                  + " the JVM (KILL_JVM)");
    }
    assertThat(fake.done()).contains("discard " + stub.pid());
  }

  @Test
  void shouldServeTheWaiterOfAStubThatCouldNotBeRecycled() {
    FakeStubs fake = FakeStubs.withMost(1);
    Lease stub = used(fake.takeNew(1).getFirst());
    fake.recycling.put(stub.pid(), Recycling.FAILED);
    Waiter waiter = fake.new Waiter();
    try (Logs logs = new Logs(Supply.class)) {
      stub.close();
      fake.settle();
      assertThat(logs.lines()).hasSize(1);
    }
    assertThat(waiter.stub().pid()).isNotEqualTo(stub.pid());
    assertThat(fake.done()).contains("discard " + stub.pid(), "forge 1");
  }

  @Test
  void shouldDiscardEveryStubWhenAskedTo() {
    FakeStubs fake = new FakeStubs(options().minIdle(0).maxStubs(2).onRelease(OnRelease.DISCARD));
    List<Lease> stubs = fake.takeNew(2);
    use(stubs.get(0));
    stubs.forEach(Lease::close);
    fake.settle();
    assertThat(fake.done())
        .containsExactly("discard " + stubs.get(0).pid(), "discard " + stubs.get(1).pid());
    assertThat(fake.stats().discarded()).isEqualTo(2);
  }

  @Test
  void shouldMakeRoomForWaitersByDiscarding() {
    FakeStubs fake = new FakeStubs(options().minIdle(0).maxStubs(2).onRelease(OnRelease.DISCARD));
    List<Lease> stubs = fake.takeNew(1);
    Waiter first = fake.new Waiter();
    Waiter second = fake.new Waiter();
    stubs.getFirst().close();
    // While there is room waiters do not wait for the end of others; then they must.
    fake.turn();
    assertThat(fake.done()).hasSize(2).contains("forge 1");
    assertThat(first.stub().pid()).isNotEqualTo(stubs.getFirst().pid());
    assertThat(second.outcome()).isNull();
    fake.turn();
    assertThat(fake.done()).containsExactly("discard " + stubs.getFirst().pid());
    fake.turn();
    assertThat(second.stub().state()).isEqualTo(StubState.LEASED);
  }

  @Test
  void shouldWaitForHoldersOfThePid() {
    FakeStubs fake = FakeStubs.withMost(2);
    List<Lease> stubs = fake.takeNew(2);
    stubs.forEach(SupplyTest::use);
    StubProcess held = stubs.getFirst().process();
    assertThat(held.tracee.hold()).isTrue();
    stubs.forEach(Lease::close);
    fake.settle();
    assertThat(fake.supply.awaitsCopies()).isTrue();
    assertThat(fake.done()).containsExactly("recycle " + stubs.get(1).pid());
    assertThat(held.state()).isEqualTo(StubState.RESETTING);
    assertThat(fake.stats()).isEqualTo(FakeStubs.stats(2, 1, 0, 1, 0, 0, 2, 1, 0, 0, 0));
    // Who waits gets others meanwhile, and then this one.
    Waiter first = fake.new Waiter();
    Waiter second = fake.new Waiter();
    fake.settle();
    assertThat(first.stub().pid()).isEqualTo(stubs.get(1).pid());
    assertThat(second.outcome()).isNull();
    held.tracee.release();
    fake.settle();
    assertThat(fake.supply.awaitsCopies()).isFalse();
    assertThat(second.stub().pid()).isEqualTo(stubs.get(0).pid());
    assertThat(fake.done()).containsExactly("recycle " + stubs.get(0).pid());
  }

  /** The tracer gives up a stub that the kernel does not let die: it is gone for the pool. */
  @Test
  void shouldCountStubsThatCannotBeKilledAsGone() {
    FakeStubs fake = new FakeStubs(options().minIdle(0).maxStubs(3).onRelease(OnRelease.DISCARD));
    List<Lease> stubs = fake.takeNew(3);
    StubProcess held = stubs.get(0).process();
    held.tracee.hold();
    stubs.get(0).close();
    fake.settle();
    held.tracee.release();
    RuntimeException stuck = Failures.make().unresponsive("the kernel holds it");
    fake.stuck = stuck;
    assertThatThrownBy(fake::turn).isSameAs(stuck);
    assertThat(fake.stats()).isEqualTo(FakeStubs.stats(2, 0, 2, 0, 0, 0, 3, 0, 1, 0, 0));
    stubs.get(1).close();
    fake.stuck = stuck;
    assertThatThrownBy(fake::turn).isSameAs(stuck);
    assertThat(fake.stats()).isEqualTo(FakeStubs.stats(1, 0, 1, 0, 0, 0, 3, 0, 2, 0, 0));
    fake.settle();
    assertThat(fake.takeNew(2)).doesNotContainNull();
  }

  @Test
  void shouldForgetAHeldStubThatDied() {
    FakeStubs fake = FakeStubs.withMost(1);
    Lease stub = used(fake.takeNew(1).getFirst());
    StubProcess held = stub.process();
    held.tracee.hold();
    stub.close();
    fake.settle();
    fake.die(held, "killed by SIGKILL");
    held.tracee.release();
    fake.settle();
    assertThat(fake.supply.awaitsCopies()).isFalse();
    assertThat(fake.done()).isEmpty();
    assertThat(fake.stats()).isEqualTo(FakeStubs.stats(0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0));
  }

  // ---- deaths ----

  @Test
  void shouldForgetStubsThatDied() {
    FakeStubs fake = FakeStubs.withMost(4);
    List<Lease> stubs = fake.takeNew(4);
    stubs.get(0).close();
    stubs.get(1).close();
    fake.settle();
    stubs.get(2).close();
    for (Lease stub : stubs) {
      fake.die(stub.process(), "killed by SIGKILL"); // two idle, one on its way, one leased
      assertThat(stub.state()).isEqualTo(StubState.DEAD);
      assertThat(fake.supply.find(stub.pid())).isNull();
    }
    stubs.forEach(Lease::close);
    fake.settle();
    assertThat(fake.done()).isEmpty();
    assertThat(fake.take()).isNull();
    assertThat(fake.stats()).isEqualTo(FakeStubs.stats(0, 0, 0, 0, 0, 0, 4, 0, 0, 4, 0));
    assertThat(fake.takeNew(4)).doesNotContainNull();
  }

  @Test
  void shouldGiveNoStubThatDiedAmongTheIdle() {
    FakeStubs fake = FakeStubs.withMost(3);
    List<Lease> stubs = fake.takeNew(3);
    stubs.forEach(Lease::close);
    fake.settle();
    fake.bury(stubs.get(0).process().tracee, "killed by SIGKILL");
    fake.bury(stubs.get(2).process().tracee, "killed by SIGKILL");
    assertThat(fake.take().pid()).isEqualTo(stubs.get(1).pid());
    assertThat(fake.take()).isNull();
    assertThat(fake.stats()).isEqualTo(FakeStubs.stats(1, 0, 1, 0, 0, 0, 3, 0, 0, 2, 0));
  }

  @Test
  void shouldKeepTheOrderOfTheIdleWhenOneDies() {
    FakeStubs fake = FakeStubs.withMost(4);
    List<Lease> stubs = fake.takeNew(4);
    stubs.forEach(Lease::close);
    fake.settle();
    fake.die(stubs.get(1).process(), "killed by SIGKILL");
    assertThat(fake.stats().idle()).isEqualTo(3);
    for (int i : new int[] {3, 2, 0}) {
      assertThat(fake.take().pid()).isEqualTo(stubs.get(i).pid());
    }
  }

  /** As a guest program that ignores the end of its lease. */
  @Test
  void shouldTellOnceThatALeaseEndedHoweverLongTheStubIsInUse() {
    FakeStubs fake = FakeStubs.withMost(1);
    Lease stub = fake.takeNew(1).getFirst();
    stub.process().tracee.hold();
    CompletableFuture<String> death = stub.process().watchDeath(stub.generation());
    stub.close();
    Proc.await(
        "the end of the watch",
        () -> {
          fake.turn();
          return death.isDone();
        });
    long before = ForkJoinPool.commonPool().getStealCount();
    for (int retry = 0; retry < 2_000; retry++) {
      fake.turn();
    }
    assertThat(ForkJoinPool.commonPool().awaitQuiescence(20, TimeUnit.SECONDS)).isTrue();
    assertThat(ForkJoinPool.commonPool().getStealCount() - before).isLessThan(100);
    stub.process().tracee.release();
    fake.settle();
    assertThat(fake.stats().idle()).isEqualTo(1);
  }

  // ---- counts ----

  /** One stub is leased all the time, so any count without it is of no moment. */
  private static void checkOneOfTwoLeased(StubPoolStats stats) {
    assertThat(stats.leased()).as("%s", stats).isBetween(1, 2);
    assertThat(stats.idle() + stats.resetting()).as("%s", stats).isBetween(0, 1);
    assertThat(stats.total()).as("%s", stats).isBetween(1, 2);
  }

  @Test
  void shouldCountALeasedStubAsLeasedBesideOneThatDiedOnItsWayBack() {
    FakeStubs fake = FakeStubs.withMost(2);
    List<Lease> stubs = fake.takeNew(2);
    stubs.get(1).close();
    fake.die(stubs.get(1).process(), "killed by SIGKILL");
    checkOneOfTwoLeased(fake.stats());
    fake.settle();
    assertThat(fake.stats().total()).isEqualTo(1);
    assertThat(fake.stats().leased()).isEqualTo(1);
    assertThat(fake.stats().died()).isEqualTo(1);
    stubs.getFirst().close(); // not garbage before
  }

  @Test
  void shouldCountALeasedStubAsLeasedBesideOneThatIsDiscarded() {
    FakeStubs fake = new FakeStubs(options().minIdle(0).maxStubs(2).onRelease(OnRelease.DISCARD));
    List<StubPoolStats> seen = new ArrayList<>();
    fake.afterBurial = () -> seen.add(fake.stats());
    List<Lease> stubs = fake.takeNew(2);
    stubs.get(1).close();
    fake.settle();
    stubs.getFirst().close(); // not garbage before
    assertThat(seen).hasSize(1).allSatisfy(SupplyTest::checkOneOfTwoLeased);
  }

  /** Somebody takes a stub and gives it back again and again while others count. */
  @Test
  void shouldCountOnlyWhatIsTrueAtOneMoment() throws InterruptedException {
    int rounds = Effort.cases(1_000_000, 20_000_000);
    FakeStubs fake = FakeStubs.withMost(2);
    List<Lease> stubs = fake.takeNew(2);
    stubs.get(1).close();
    fake.settle();
    AtomicBoolean over = new AtomicBoolean();
    Thread holder =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  while (!over.get()) {
                    Lease stub = fake.take();
                    if (stub != null) {
                      stub.close();
                    }
                    fake.turn();
                  }
                });
    try {
      for (int round = 0; round < rounds; round++) {
        StubPoolStats stats = fake.stats();
        if (stats.leased() < 1 || stats.leased() > 2 || stats.total() != 2) {
          checkOneOfTwoLeased(stats);
        }
      }
    } finally {
      over.set(true);
      holder.join();
    }
    stubs.getFirst().close(); // not garbage before
  }

  // ---- copies ----

  @Test
  void shouldNotCopyWhatWasTakenBackToMakeRoom() {
    FakeStubs fake = FakeStubs.withMost(1);
    Lease parent = fake.takeNew(1).getFirst();
    parent.close(); // by another thread, once its holder had asked for the copy
    assertThatIllegalStateException()
        .isThrownBy(() -> fake.supply.spawn(parent))
        .withMessageEndingWith("is closed");
    assertThat(fake.stats().total()).isZero();
  }

  @Test
  void shouldCountCopiesAgainstMaxStubs() {
    FakeStubs fake = FakeStubs.withMost(2);
    Lease parent = fake.takeNew(1).getFirst();
    Lease child = fake.supply.spawn(parent);
    assertThat(child.state()).isEqualTo(StubState.LEASED);
    assertThat(fake.stats().leased()).isEqualTo(2);
    assertThat(fake.done()).startsWith("copy " + parent.pid());
    assertThatThrownBy(() -> fake.supply.spawn(parent))
        .isInstanceOf(StubPoolFullException.class)
        .hasMessage(
            "pool fake: no room for a copy of stub "
                + parent.pid()
                + ", all 2 (maxStubs) are in use; total=2 idle=0 leased=2 forging=0 waiting=0");
    assertThat(fake.done()).isEmpty();
    child.close();
    fake.settle();
    assertThat(fake.done()).as("a copy is not like new").containsExactly("recycle " + child.pid());

    Lease second = fake.supply.spawn(parent);
    assertThat(fake.done())
        .as("the idle one makes room")
        .containsExactly("discard " + child.pid(), "copy " + parent.pid(), "born " + second.pid());
    second.close();
    fake.supply.spawn(parent);
    assertThat(fake.done()).as("so does one on its way back").contains("discard " + second.pid());
    assertThat(fake.stats().leased()).isEqualTo(2);
  }

  @Test
  void shouldKillNoIdleStubForACopyWhereThatKillsTheJvm() {
    FakeStubs fake =
        new FakeStubs(options().minIdle(0).maxStubs(2).onStubDeath(OnStubDeath.KILL_JVM));
    List<Lease> stubs = fake.takeNew(2);
    stubs.get(1).close();
    assertThatThrownBy(() -> fake.supply.spawn(stubs.get(0)))
        .isInstanceOf(StubPoolFullException.class);
    assertThat(fake.stats().idle()).isEqualTo(1);
  }

  @Test
  void shouldCountNothingWhereTheKernelRefusedACopy() {
    FakeStubs fake = FakeStubs.withMost(2);
    Lease parent = fake.takeNew(1).getFirst();
    fake.refusal = refusal;
    assertThatThrownBy(() -> fake.supply.spawn(parent)).isSameAs(refusal);
    assertThat(fake.stats()).isEqualTo(FakeStubs.stats(1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0));
    assertThat(fake.supply.spawn(parent).state()).isEqualTo(StubState.LEASED);
  }

  // ---- handles ----

  @Test
  void shouldKeepAClosedHandleClosedForEver() {
    FakeStubs fake = FakeStubs.withMost(1);
    List<Lease> old = new ArrayList<>();
    for (int generation = 0; generation < 50; generation++) {
      Lease stub = fake.takeNew(1).getFirst();
      for (Lease closed : old) {
        closed.close();
        assertThat(closed.beginLease()).isFalse();
        assertThat(closed.process().isLeased(closed.generation())).isFalse();
        assertThat(closed.process().giveBack(closed.generation())).isFalse();
        assertThat(closed.toString()).endsWith(", closed lease]");
      }
      assertThat(stub.state()).isEqualTo(StubState.LEASED);
      assertThat(stub.process().isLeased(stub.generation())).isTrue();
      assertThat(fake.supply.hasReturned()).isFalse();
      if (generation % 10 == 9) {
        fake.die(stub.process(), "killed by SIGKILL"); // the next stub has the same slot
      }
      stub.close();
      fake.settle();
      assertThat(stub.beginLease()).isFalse();
      old.add(stub);
    }
  }

  @Test
  void shouldLetOneOfManyClosersGiveBack() throws InterruptedException {
    FakeStubs fake = FakeStubs.withMost(1);
    for (int round = 0; round < 200; round++) {
      Lease stub = fake.takeNew(1).getFirst();
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        threads.add(Thread.ofVirtual().start(stub::close));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      fake.settle();
      assertThat(fake.stats().idle()).isEqualTo(1);
    }
  }

  // ---- lost leases ----

  @Test
  void shouldTakeBackLeasesWhoseHandlesAreGarbage() {
    FakeStubs fake = FakeStubs.withMost(2);
    List<Integer> pids = new ArrayList<>();
    try (Logs logs = new Logs(Supply.class)) {
      pids.add(lose(fake, true));
      collect(fake, 1);
      assertThat(logs.lines())
          .startsWith(
              "WARN pool fake: the lease of stub "
                  + pids.getFirst()
                  + " was never closed, and its handle is garbage: taken back")
          .contains("at dev.stubpool.pool.SupplyTest.lose")
          .anyMatch(line -> line.startsWith("acquired here, by Thread["));
    }
    try (Logs logs = new Logs(Supply.class)) {
      pids.add(lose(fake, false));
      collect(fake, 2);
      assertThat(logs.lines())
          .containsExactly(
              "WARN pool fake: the lease of stub "
                  + pids.getLast()
                  + " was never closed, and its handle is garbage: taken back; set leakTraces to"
                  + " learn where it was acquired");
    }
    assertThat(fake.stats().idle()).isEqualTo(1);
    assertThat(pids.getFirst()).isEqualTo(pids.getLast());
  }

  /** Leases a stub and forgets it. */
  private static int lose(FakeStubs fake, boolean traced) {
    Lease stub = used(fake.takeNew(1).getFirst());
    if (traced) {
      stub.process().guard().acquiredHere();
    }
    return stub.pid();
  }

  private static void collect(FakeStubs fake, long lost) {
    Proc.await(
        "the garbage collector",
        () -> {
          System.gc();
          fake.settle();
          return fake.stats().lost() == lost;
        });
  }

  @Test
  void shouldNotCountHandlesThatWereClosedOrNeverLeased() {
    FakeStubs fake = FakeStubs.withMost(2);
    List<Lease> stubs = new ArrayList<>(fake.takeNew(2));
    stubs.forEach(Lease::close);
    fake.settle();
    stubs.clear();
    fake.take().close();
    fake.settle();
    fake.die(fake.supply.all().iterator().next(), "killed by SIGKILL");
    // What is lost after all that is found after all that.
    lose(fake, false);
    try (Logs logs = new Logs(Supply.class)) {
      collect(fake, 1);
      assertThat(logs.lines()).hasSize(1);
    }
    assertThat(fake.stats().lost()).isEqualTo(1);
  }
}
