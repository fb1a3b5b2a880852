package dev.stubpool.pool;

import dev.stubpool.StubState;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.guest.GuestRun;
import dev.stubpool.lease.LeaseTable;
import dev.stubpool.memory.MappingTable;
import dev.stubpool.nativestubs.proc.ProcMaps;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.thread.CpuBinding;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A stub's process, over all its leases: its tracee, its mappings, the guests that run in it, and
 * its slot of the {@link LeaseTable}.
 *
 * <p>Lock order: {@code frameLock} may be held when a request is submitted to the forge tracer,
 * which never takes it.
 */
public final class StubProcess {
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

  /** The process as its tracer knows it. */
  public final Tracee tracee;

  /** The record of what is mapped in the process, without the stub image. */
  public final MappingTable mappings;

  private final Supply supply;
  private final LeaseTable table;
  private final int slot;

  /**
   * Detects that the handle of the present generation is lost. Written by the tracer thread before
   * the stub becomes idle; read by the thread that leased it.
   */
  @SuppressWarnings("NullAway.Init") // made with the first handle, and asked for by its holders
  private LeaseGuard guard;

  /** Whether the pool itself killed the process. Accessed only by the tracer thread. */
  private boolean discarded;

  /** The generation of the handle made last. Accessed only by the tracer thread. */
  private long generation;

  // How StubCounts counts the process. Accessed only by the tracer thread.

  /** Whether the tracer has taken it from the queue or the stack, to reset or discard it. */
  boolean resetting;

  /** Whether it was made by {@link dev.stubpool.Stub#spawnChild} and has not been idle since. */
  boolean copy;

  /** Whether it died in the queue of returned stubs, and is counted until it leaves the queue. */
  boolean diedWhileQueued;

  /** The guest runs under way, of the present lease, or of the last one until they have ended. */
  private final Queue<GuestRun<?, ?>> runs = new ConcurrentLinkedQueue<>();

  /** How many guests are running, or {@link #COPYING} while none may. */
  private final AtomicInteger running = new AtomicInteger();

  /** Held while a fault is examined: the process has room for one signal frame. */
  private final ReentrantLock frameLock = new ReentrantLock();

  /** The lease for which the signal frame's memory is mapped. Guarded by {@link #frameLock}. */
  private long frameGeneration = -1;

  /** Whether the lease has ended, but there was no heap to enqueue the process. */
  private volatile boolean enqueueFailed;

  /** The death watch of the last generation whose holder asked for one, or null. */
  private volatile @Nullable DeathWatch deathWatch;

  StubProcess(Supply supply, LeaseTable table, Tracee tracee) {
    this.supply = supply;
    this.table = table;
    this.tracee = tracee;
    this.mappings = new MappingTable(() -> ProcMaps.of(tracee.pid()), tracee::kill);
    this.slot = table.claim(tracee.pid()); // last: nothing after it can fail and leak the slot
  }

  /** What the process is doing. May be called from any thread. */
  public StubState state() {
    StubState state = table.state(slot);
    // Read after the slot: the slot is reused only after this process's death is recorded.
    return tracee.death() != null ? StubState.DEAD : state;
  }

  // ---- leases; these methods may be called from any thread ----

  /** Begins the lease of a generation; returns whether this call did. */
  boolean lease(long generation) {
    return table.lease(slot, generation);
  }

  /** Whether the lease of a generation can begin. */
  boolean isIdle(long generation) {
    return table.isIdle(slot, generation);
  }

  boolean isLeased(long generation) {
    return table.isLeased(slot, generation);
  }

  /**
   * Ends a lease: interrupts its guests, and enqueues the process to be reset.
   *
   * @return whether this call ended the lease
   */
  boolean giveBack(long generation) {
    if (!table.giveBack(slot, generation)) {
      return false;
    }
    try {
      for (GuestRun<?, ?> run : runs) {
        run.endBy(() -> Failures.make().leaseClosed(tracee.pid()));
      }
      supply.returned(this);
    } catch (Error e) {
      enqueueFailed = true;
      tracee.kill(); // it is not in the queue; the sweep reaps it
      throw e;
    }
    return true;
  }

  // ---- guests; these methods may be called from any thread ----

  /**
   * Adds a run. The process is not reset until the run is removed.
   *
   * <p>Memory order: the caller adds the run and then reads whether its lease is open; {@link
   * #giveBack} ends the lease and then reads the runs. So either the caller finds the lease closed,
   * or the run is ended by giveBack.
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

  public boolean hasRuns() {
    return !runs.isEmpty();
  }

  /** Counts a guest that is about to run; waits while the stub is copied, which has a deadline. */
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

  /** Keeps guests from running until {@link #endCopy}; returns false if one is running. */
  boolean beginCopy() {
    return running.compareAndSet(0, COPYING);
  }

  void endCopy() {
    running.set(0);
  }

  /**
   * Runs {@code use} while the memory for a signal frame is mapped and no other thread uses it.
   *
   * @param map maps the memory; called once for each lease
   */
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
   * A future that completes with how the process died.
   *
   * <p>Memory order: this method writes {@code deathWatch} and then reads the lease and the death.
   * The lease is ended, or the death is recorded, before the tracer thread reads {@code deathWatch}
   * in {@link #endDeathWatch}. So at least one of the two ends the watch.
   */
  CompletableFuture<String> watchDeath(long generation) {
    DeathWatch mine = new DeathWatch(generation);
    DeathWatch before = deathWatch;
    while (true) {
      if (before != null && before.generation == generation) {
        return before.future;
      }
      if (before != null && before.generation > generation) {
        mine.end(tracee);
        return mine.future; // the caller's lease has ended, and a later holder has a watch
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
    supply.wake(); // so that the tracer sweeps at the shorter interval from now on
    return mine.future;
  }

  // ---- the tracer thread ----

  /** Makes the process idle, and returns the handle of its next lease. */
  Lease makeIdle(Pool pool, LeaseGuard.LostLeases lost) {
    long next = table.nextGeneration(slot);
    Lease stub = new Lease(pool, this, next);
    guard = new LeaseGuard(stub, lost);
    generation = next;
    table.makeIdle(slot); // last: what was written before is seen by the thread that leases it
    return stub;
  }

  boolean hasEnqueueFailed() {
    return enqueueFailed;
  }

  /** Leases the process to the pool itself, so that no caller can; returns whether it was idle. */
  boolean claimIdle() {
    return lease(generation);
  }

  LeaseGuard guard() {
    return guard;
  }

  /**
   * Marks the process as dead for all its handles, and frees its slot for another process.
   *
   * @return the state before
   */
  StubState retire() {
    StubState before = table.die(slot);
    table.free(slot);
    return before;
  }

  /**
   * Completes the death watch, if there is one: normally if the process is dead, else exceptionally
   * because the lease has ended. Only the first call for a lease has an effect.
   */
  void endDeathWatch() {
    DeathWatch watch = deathWatch;
    if (watch != null) {
      watch.end(tracee);
    }
  }

  /** Records that the pool itself kills the process. */
  void markDiscarded() {
    discarded = true;
  }

  boolean isDiscarded() {
    return discarded;
  }

  /** A future that is completed once, for one lease. */
  private static final class DeathWatch {
    private final long generation;
    private final CompletableFuture<String> future = new CompletableFuture<>();
    private final AtomicBoolean ended = new AtomicBoolean();

    DeathWatch(long generation) {
      this.generation = generation;
    }

    /**
     * Completes the future, on a thread of the common pool: its dependents are code of the
     * application, which must not run on this thread.
     */
    void end(Tracee tracee) {
      if (!ended.compareAndSet(false, true)) {
        return;
      }
      try {
        complete(tracee);
      } catch (Error e) {
        ended.set(false); // the future is not completed: the next call tries again
        throw e;
      }
    }

    private void complete(Tracee tracee) {
      String death = tracee.death();
      CpuBinding.withoutBinding(
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
