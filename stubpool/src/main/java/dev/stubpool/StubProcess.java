package dev.stubpool;

import dev.stubpool.lease.LeaseTable;
import dev.stubpool.nativestubs.ProcMaps;
import dev.stubpool.trace.CpuBinding;
import dev.stubpool.trace.Tracee;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * A stub's process as the pool knows it, over all its leases. Its state is a slot of the {@link
 * LeaseTable}.
 */
final class StubProcess {
  private static final int COPYING = -1;
  private static final VarHandle DEATH_WATCH;

  static {
    try {
      DEATH_WATCH =
          MethodHandles.lookup().findVarHandle(StubProcess.class, "deathWatch", DeathWatch.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final Tracee tracee;

  /** What is mapped in it, but for the image. */
  final MappingTable mappings;

  private final StubSupply supply;
  private final LeaseTable table;
  private final int slot;

  /** Tells when the handle of the present generation is lost; the tracer's alone. */
  private LeaseGuard guard;

  /** Whether the pool itself ended it; the tracer's alone. */
  private boolean discarded;

  /** What is run in it; of the present lease, or of the last while its runs end. */
  private final Queue<GuestRun<?, ?>> runs = new ConcurrentLinkedQueue<>();

  /** Guests that run just now, or {@link #COPYING} while none may. */
  private final AtomicInteger running = new AtomicInteger();

  /** One fault is examined at a time: there is one place for its frame. */
  private final ReentrantLock frameLock = new ReentrantLock();

  /** The lease that has the place for a frame mapped; by who has the lock. */
  private long frameGeneration = -1;

  /** Of the last generation whose holder asked for one; null until then. */
  private volatile DeathWatch deathWatch;

  StubProcess(StubSupply supply, LeaseTable table, Tracee tracee) {
    this.supply = supply;
    this.table = table;
    this.tracee = tracee;
    this.mappings = new MappingTable(() -> ProcMaps.of(tracee.pid()), tracee::kill);
    this.slot = table.claim(tracee.pid()); // last: it is to be given back
  }

  StubState state() {
    StubState state = table.state(slot);
    // Afterwards: a slot has another stub only once this one's death is known.
    return tracee.death() != null ? StubState.DEAD : state;
  }

  // ---- leases: any thread ----

  /** Begins the lease of a generation; whether it was this caller who did. */
  boolean lease(long generation) {
    return table.lease(slot, generation);
  }

  boolean isLeased(long generation) {
    return table.isLeased(slot, generation);
  }

  /** Ends a lease; whether it was this caller who did, and the process is on its way back. */
  boolean giveBack(long generation) {
    if (!table.giveBack(slot, generation)) {
      return false;
    }
    try {
      for (GuestRun<?, ?> run : runs) {
        run.endBy(
            () -> new IllegalStateException("this lease of stub " + tracee.pid() + " is closed"));
      }
      supply.returned(this);
    } catch (Error e) {
      tracee.kill(); // it may not be in the queue; the sweep finds it dead
      throw e;
    }
    return true;
  }

  // ---- guests: any thread ----

  /**
   * Adds a run, which holds off the next lease. Afterwards the caller looks whether its lease
   * lasts: if it ended before, nobody told the run.
   */
  void add(GuestRun<?, ?> run) {
    runs.add(run);
  }

  void remove(GuestRun<?, ?> run) {
    runs.remove(run);
    if (runs.isEmpty()) {
      supply.wake();
    }
  }

  boolean hasRuns() {
    return !runs.isEmpty();
  }

  /** A guest is about to run; waits while the stub is copied, which is bounded. */
  void guestRuns() {
    while (true) {
      int now = running.get();
      if (now == COPYING) {
        Thread.yield();
      } else if (running.compareAndSet(now, now + 1)) {
        return;
      }
    }
  }

  void guestStopped() {
    running.getAndDecrement();
  }

  /** Keeps guests from running until {@link #copied}; false if one does. */
  boolean stopsForCopy() {
    return running.compareAndSet(0, COPYING);
  }

  void copied() {
    running.set(0);
  }

  /** Does what needs the place for a frame, mapped by {@code map} once a lease. */
  <T> T withFrame(long generation, Runnable map, Supplier<T> use) {
    frameLock.lock();
    try {
      if (frameGeneration != generation) {
        map.run();
        frameGeneration = generation;
      }
      return use.get();
    } finally {
      frameLock.unlock();
    }
  }

  /**
   * A future that completes with how the process died. It is stored before the lease is looked at,
   * and {@link #endDeathWatch} does it the other way round: whoever comes second sees the other.
   */
  CompletableFuture<String> watchDeath(long generation) {
    DeathWatch mine = new DeathWatch(generation, new CompletableFuture<>());
    DeathWatch before = deathWatch;
    while (true) {
      if (before != null && before.generation == generation) {
        return before.future;
      }
      if (before != null && before.generation > generation) {
        mine.end(tracee);
        return mine.future; // of a lease that ended meanwhile
      }
      DeathWatch seen = (DeathWatch) DEATH_WATCH.compareAndExchange(this, before, mine);
      if (seen == before) {
        break;
      }
      before = seen;
    }
    if (tracee.death() != null || !isLeased(generation)) {
      mine.end(tracee);
    }
    return mine.future;
  }

  // ---- the tracer thread ----

  /** Makes the process idle, and a handle for whoever gets it. */
  Stub shelve(StubPool pool, LeaseGuard.Lost lost) {
    Stub stub = new Stub(pool, this, table.shelve(slot));
    guard = new LeaseGuard(stub, lost);
    return stub;
  }

  LeaseGuard guard() {
    return guard;
  }

  /** Its slot is dead for all handles, and free for another process. */
  void retire() {
    table.die(slot);
    table.free(slot);
    endDeathWatch();
  }

  /** Tells who watches that the process died, or that the lease did not last to see it. */
  void endDeathWatch() {
    DeathWatch watch = deathWatch;
    if (watch != null) {
      watch.end(tracee);
    }
  }

  void discard() {
    discarded = true;
  }

  boolean isDiscarded() {
    return discarded;
  }

  private record DeathWatch(long generation, CompletableFuture<String> future) {
    /** Never completes on this thread: what hangs on the future is not ours. */
    void end(Tracee tracee) {
      String death = tracee.death();
      CpuBinding.lift(
          () ->
              future.completeAsync(
                  () -> {
                    if (death == null) {
                      throw new CancellationException(
                          "the lease of stub " + tracee.pid() + " was closed");
                    }
                    return death;
                  }));
    }
  }
}
