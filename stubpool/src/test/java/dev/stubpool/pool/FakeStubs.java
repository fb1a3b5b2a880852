package dev.stubpool.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.Stub;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.StubPoolStats;
import dev.stubpool.StubState;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.forge.StubFactory;
import dev.stubpool.lease.LeaseTable;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.ptrace.Tracees;
import dev.stubpool.thread.TracerThread;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A {@link Supply} with everything around it under the test's control: processes that are numbers,
 * a clock that stands, and a tracer thread that is whoever calls {@link #turn}.
 */
final class FakeStubs implements StubFactory {
  private static final VarHandle OUTCOME;

  static {
    try {
      OUTCOME =
          MethodHandles.privateLookupIn(AcquireRequest.class, MethodHandles.lookup())
              .findVarHandle(AcquireRequest.class, "outcome", Object.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Counts in the order of {@link StubPoolStats#toString}'s first line, then the totals. */
  static StubPoolStats stats(
      int total,
      int idle,
      int leased,
      int resetting,
      int forging,
      int waiting,
      long created,
      long recycled,
      long discarded,
      long died,
      long lost) {
    StubPoolStats stats =
        StubPoolStats.builder()
            .total(total)
            .idle(idle)
            .resetting(resetting)
            .forging(forging)
            .waiting(waiting)
            .created(created)
            .recycled(recycled)
            .discarded(discarded)
            .died(died)
            .lost(lost)
            .build();
    assertThat(stats.leased()).isEqualTo(leased);
    return stats;
  }

  /** Pids are used again, as the kernel does. */
  private static final int PIDS = 4096;

  private static final int MOST_TURNS = 10_000;

  final StubPoolOptions options;
  final AcquireLine line;
  final Supply supply;

  /** What a tracer thread would find in its queue. */
  final Queue<TracerThread.Task> tasks = new ConcurrentLinkedQueue<>();

  final AtomicInteger wakes = new AtomicInteger();

  /** What the factory was asked for and made, in order: "forge 2", "born 7", "recycle 7", ... */
  final List<String> done = new ArrayList<>();

  /** Its clock wraps around soon, as {@link System#nanoTime} may. */
  long now = Long.MAX_VALUE - Duration.ofSeconds(1).toNanos();

  /** What the kernel says to the next stub but so many; null is nothing. */
  RuntimeException refusal;

  int untilRefusal;

  /** How many of the next batch die before they are born. */
  int stillborn;

  /** What the kernel says when the next stub is to be killed: that it cannot let it die. */
  RuntimeException stuck;

  /** Runs while a batch is being made. */
  Runnable whileForging = () -> {};

  Runnable afterBirth = () -> {};

  /** Runs when a discarded stub is dead, before the supply goes on. */
  Runnable afterBurial = () -> {};

  /** How recycling a stub ends, by pid; all others become like new. */
  final Map<Integer, Recycling> recycling = new HashMap<>();

  /** How recycling ends. */
  enum Recycling {
    /** Somebody did to it what cannot be undone. */
    REFUSED,
    /** The kernel refused a step. */
    FAILED,
    /** It fails in a way that nobody foresaw. */
    BROKEN,
    /** The stub died of it. */
    DIED
  }

  private int births;

  FakeStubs(StubPoolOptions.Builder builder) {
    options = builder.name("fake").build();
    LeaseTable table =
        new LeaseTable(
            MemorySegment.ofArray(
                new long[(int) (LeaseTable.bytes(options.maxStubs()) / Long.BYTES)]),
            options.name(),
            options.maxStubs(),
            1,
            1);
    line = new AcquireLine(options, this::stats, tasks::add);
    supply = new Supply(options, null, table, this, () -> now, line, wakes::incrementAndGet);
  }

  /** A supply that makes nothing by itself. */
  static FakeStubs withMost(int maxStubs) {
    return new FakeStubs(StubPoolOptions.builder().minIdle(0).maxStubs(maxStubs));
  }

  StubPoolStats stats() {
    return supply.stats(() -> 0);
  }

  void pass(Duration time) {
    now += time.toNanos();
  }

  // ---- the tracer thread ----

  /** As the tracer thread does: the tasks, then a turn; whether there is more to do. */
  boolean turn() {
    TracerThread.Task task;
    while ((task = tasks.poll()) != null) {
      task.run();
    }
    return supply.turn();
  }

  /** Turns until there is nothing to do. */
  void settle() {
    int turns = 0;
    while (turn()) {
      assertThat(++turns).as("turns without an end").isLessThan(MOST_TURNS);
    }
  }

  /** What was done since the last call. */
  List<String> done() {
    List<String> all = List.copyOf(done);
    done.clear();
    return all;
  }

  /** A process ends, and is buried, as the tracer's sweep does it. */
  void die(StubProcess process, String how) {
    boolean idle = process.state() == StubState.IDLE;
    bury(process.tracee, how);
    if (idle) {
      supply.unlinkStale();
    }
  }

  /** {@link #die} without the last step of the sweep: a dead one may lie among the idle. */
  void bury(Tracee tracee, String how) {
    Tracees.die(tracee, how);
    supply.ended(tracee);
  }

  @Override
  public void forge(int count, Consumer<Tracee> born) {
    done.add("forge " + count);
    whileForging.run();
    for (int i = 0; i < count; i++) {
      if (refusal != null && untilRefusal-- == 0) {
        RuntimeException now = refusal;
        refusal = null;
        throw now;
      }
      if (stillborn > 0) {
        stillborn--;
        continue;
      }
      born.accept(birth());
      afterBirth.run();
    }
  }

  private Tracee birth() {
    Tracee tracee;
    do {
      tracee = Tracees.of(births++ % PIDS);
    } while (supply.find(tracee.pid()) != null);
    done.add("born " + tracee.pid());
    return tracee;
  }

  @Override
  public Tracee copy(Tracee stub) {
    done.add("copy " + stub.pid());
    if (refusal != null) {
      RuntimeException now = refusal;
      refusal = null;
      throw now;
    }
    Tracee child = birth();
    Tracees.use(child);
    return child;
  }

  @Override
  public String recycle(Tracee stub) {
    done.add("recycle " + stub.pid());
    Recycling how = recycling.remove(stub.pid());
    if (how == null) {
      Tracees.reset(stub);
      return null;
    }
    return switch (how) {
      case REFUSED -> "signal 10 is pending";
      case FAILED -> throw Failures.make().systemCall("munmap", 12, "recycling a stub");
      case BROKEN -> throw new IllegalStateException("a defect");
      case DIED -> {
        bury(stub, "killed by SIGKILL");
        throw Failures.make().died(stub.pid(), "killed by SIGKILL", "recycling a stub");
      }
    };
  }

  @Override
  public void kill(Tracee stub) {
    assertThat(stub.death()).isNull();
  }

  @Override
  public void discard(Tracee stub) {
    done.add("discard " + stub.pid());
    bury(stub, "killed by SIGKILL");
    afterBurial.run();
    if (stuck != null) {
      RuntimeException now = stuck;
      stuck = null;
      throw now;
    }
  }

  // ---- callers ----

  /** Takes an idle stub; null if there is none. */
  Lease take() {
    return supply.poll();
  }

  /** Takes stubs, made for the purpose. */
  List<Lease> takeNew(int count) {
    List<Waiter> waiters = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      waiters.add(new Waiter());
    }
    settle();
    done.clear();
    return waiters.stream().map(Waiter::stub).toList();
  }

  /** Somebody who waits for a stub, without a thread. */
  final class Waiter {
    private final AcquireRequest request = line.join();

    /** A {@link Stub}, an exception, or null as long as he waits. */
    Object outcome() {
      return OUTCOME.getVolatile(request);
    }

    /** The stub he got. */
    Lease stub() {
      assertThat(outcome()).isInstanceOf(Lease.class);
      return request.result();
    }

    boolean giveUp() {
      boolean inTime = request.cancel();
      if (inTime) {
        line.leave(request);
      }
      return inTime;
    }

    boolean hasGivenUp() {
      return request.isCancelled();
    }
  }
}
