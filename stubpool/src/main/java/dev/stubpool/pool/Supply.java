package dev.stubpool.pool;

import dev.stubpool.OnRelease;
import dev.stubpool.OnStubDeath;
import dev.stubpool.StubPoolException;
import dev.stubpool.StubPoolFullException;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.StubPoolStats;
import dev.stubpool.StubState;
import dev.stubpool.SystemCallException;
import dev.stubpool.abi.Errno;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.forge.Forge;
import dev.stubpool.forge.StubFactory;
import dev.stubpool.lease.LeaseTable;
import dev.stubpool.ptrace.Tracee;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The policy of a pool: which caller gets which stub, when stubs are made, when stubs whose lease
 * has ended are reset or discarded, and how many idle stubs are kept.
 *
 * <p>Policy only: the {@link StubFactory} performs the operations, and the time is read from a
 * given clock, so the policy is tested without a kernel.
 *
 * <ol>
 *   <li>Idle stubs are in a lock-free stack, each represented by the handle of its next lease. Any
 *       thread takes one by {@link #poll}, by two CAS and without allocating.
 *   <li>Stubs whose lease has ended are in a lock-free queue. The tracer resets one in each turn,
 *       after the requests of callers, so that injections into other stubs do not wait for a burst
 *       of closed leases.
 *   <li>A caller that finds no idle stub waits in {@link AcquireLine}. While any caller waits, no
 *       other may take an idle stub. The first in line gets an idle stub, else one that was reset,
 *       else a new one.
 *   <li>When no caller waits and the queue is empty, stubs are made until {@code minIdle} are idle,
 *       in batches as large as the number of idle stubs. While few are idle, a caller may soon have
 *       to wait for a batch to end, so the batches are small.
 *   <li>Idle stubs beyond demand are discarded, see {@link Eviction}.
 *   <li>When the kernel refuses a process or a thread to a caller, idle stubs are discarded to make
 *       room for it.
 * </ol>
 */
public final class Supply {
  private static final Logger LOG = LoggerFactory.getLogger(Supply.class);

  /** The most stubs made in the background at a time. */
  private static final int LARGEST_BATCH = 32;

  /** How long no stub is made in the background after the kernel refused one. */
  private static final long REFILL_PAUSE_NANOS = Duration.ofSeconds(1).toNanos();

  private static final int RETURNED_CHUNK = 256;

  private final StubPoolOptions options;
  private final Pool pool;
  private final LeaseTable table;
  private final StubFactory factory;
  private final LongSupplier clock;
  private final AcquireLine line;
  private final Runnable wake;

  private final StubCounts counts = new StubCounts();
  private final IdleStubs idle = new IdleStubs();
  private final MpscUnboundedVarHandleArrayQueue<StubProcess> returned =
      new MpscUnboundedVarHandleArrayQueue<>(RETURNED_CHUNK);
  private final LeaseGuard.LostLeases lost = new LeaseGuard.LostLeases();

  // Accessed only by the tracer thread.

  /** All stubs by pid. Idle stubs are in the order in which they became idle, the oldest first. */
  private final SequencedMap<Integer, StubProcess> processes = new LinkedHashMap<>();

  private final Eviction eviction;

  /** Stubs whose lease has ended while a copy or a guest run was under way in them. */
  private final Deque<StubProcess> inUse = new ArrayDeque<>();

  private long pausedUntil;
  private boolean paused;

  /**
   * Makes an empty supply.
   *
   * @param pool the pool of the handles that are made
   * @param clock returns the time as {@link System#nanoTime} does
   * @param wake makes the tracer thread call {@link #turn}
   */
  Supply(
      StubPoolOptions options,
      Pool pool,
      LeaseTable table,
      StubFactory factory,
      LongSupplier clock,
      AcquireLine line,
      Runnable wake) {
    this.options = options;
    this.pool = pool;
    this.table = table;
    this.factory = factory;
    this.clock = clock;
    this.line = line;
    this.wake = wake;
    this.eviction = new Eviction(options, clock, factory, processes, idle, counts);
  }

  // ---- any thread ----

  /**
   * Leases an idle stub; returns null if there is none, or if other callers wait in line. Makes no
   * system call, takes no lock, allocates nothing.
   */
  @Nullable Lease poll() {
    return line.waiting() > 0 ? null : takeIdle();
  }

  /** Leases an idle stub, whether or not callers wait in line; returns null if there is none. */
  private @Nullable Lease takeIdle() {
    Lease stub;
    while ((stub = idle.pop()) != null) {
      if (stub.beginLease()) {
        counts.leased(); // before its holder can close the lease
        return stub;
      }
    }
    return null;
  }

  /** Waits in line for a stub. */
  Lease await(Duration timeout) {
    return line.await(timeout);
  }

  /** Enqueues a stub whose lease has ended. */
  void returned(StubProcess process) {
    returned.offer(process);
    wake.run();
  }

  /** Makes the tracer check again which of the stubs in use can be reset. */
  void wake() {
    wake.run();
  }

  /**
   * The counts of the pool, all true at one moment.
   *
   * @param unreaped returns how many processes are no longer stubs and not reaped; asked after the
   *     other counts are read, so that a process that leaves them meanwhile is counted
   */
  StubPoolStats stats(IntSupplier unreaped) {
    StubPoolStats.Builder stats = counts.snapshot(returned::size).waiting(line.waiting());
    return stats.unreaped(unreaped.getAsInt()).build();
  }

  /** Whether any stub is leased or being reset. May be called from any thread. */
  boolean hasLeased() {
    return counts.total() > counts.idle();
  }

  // ---- the tracer thread ----

  /**
   * Does the next step that is due.
   *
   * @return whether there is more to do at once
   */
  boolean turn() {
    reclaimLost();
    eviction.noteDemand();
    retryInUse();
    if (!line.isEmpty()) {
      return serveLine();
    }
    return takeBackNext() || refill() || eviction.trim();
  }

  /** Whether {@link #turn} would find a stub to reset. */
  boolean hasReturned() {
    return !returned.isEmpty() || (!inUse.isEmpty() && isAnyUnused());
  }

  private boolean isAnyUnused() {
    for (StubProcess process : inUse) {
      if (!isInUse(process)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether the memory of a stub whose lease has ended is still being copied. The end of a copy
   * does not wake the tracer, so it must poll. The end of the last guest run in a stub does.
   */
  boolean awaitsCopies() {
    for (StubProcess process : inUse) {
      if (process.tracee.isHeld()) {
        return true;
      }
    }
    return false;
  }

  /** Serves the callers in line as far as possible; returns whether there is more to do. */
  private boolean serveLine() {
    Lease stub;
    while (!line.isEmpty() && (stub = takeIdle()) != null) {
      if (!line.give(stub)) {
        stub.close(); // the last request in line was cancelled meanwhile
      }
    }
    if (line.isEmpty()) {
      return true;
    }
    if (options.onRelease() == OnRelease.RECYCLE && takeBackNext()) {
      return true;
    }
    int count = Math.min(Math.min(line.size(), room()), Forge.MOST_AT_ONCE);
    if (count > 0) {
      forgeForLine(count);
      return true;
    }
    return takeBackNext(); // discarding it makes room for another
  }

  private void forgeForLine(int count) {
    long before = counts.created();
    try {
      forge(count);
    } catch (RuntimeException e) {
      if (takeBackNext()) {
        return; // a stub was reset or discarded: the next turn tries again
      }
      // The callers for whom this batch was made get the failure. Those behind them may still be
      // served.
      for (long left = count - (counts.created() - before); left > 0; left--) {
        line.fail(
            e instanceof SystemCallException s
                ? Failures.make().again(s)
                : Failures.make().other(Failures.message(e), e));
      }
    }
  }

  private int room() {
    return options.maxStubs() - counts.total();
  }

  /** Makes some of the stubs that are missing to minIdle; returns whether there is more to do. */
  private boolean refill() {
    int ready = counts.idle();
    int missing = Math.min(options.minIdle() - ready, room());
    if (missing <= 0 || isRefillPaused()) {
      return false;
    }
    try {
      forge(Math.min(missing, Math.clamp(ready, 1, LARGEST_BATCH)));
      return true;
    } catch (RuntimeException e) {
      LOG.warn(
          "pool {}: cannot keep {} stubs ready: {}; next try in {} s",
          options.name(),
          options.minIdle(),
          e.getMessage(),
          Duration.ofNanos(REFILL_PAUSE_NANOS).toSeconds());
      pauseRefill();
      return false;
    }
  }

  private void pauseRefill() {
    paused = true;
    pausedUntil = clock.getAsLong() + REFILL_PAUSE_NANOS;
  }

  private boolean isRefillPaused() {
    paused = paused && clock.getAsLong() - pausedUntil < 0;
    return paused;
  }

  /**
   * Performs work that makes the kernel create a process or a thread. If the kernel refuses that,
   * half of the idle stubs are discarded and the work is performed again, until it succeeds or no
   * stub can be discarded.
   */
  <T> T withEviction(Supplier<T> work) {
    while (true) {
      try {
        return work.get();
      } catch (SystemCallException e) {
        boolean refused =
            e.call().equals("clone") && (e.errno() == Errno.EAGAIN || e.errno() == Errno.ENOMEM);
        if (!refused || !evict()) {
          throw e;
        }
      }
    }
  }

  /**
   * Discards half of the idle stubs, or takes back one whose lease has ended, and makes no stubs in
   * the background for a while.
   *
   * @return whether there was such a stub
   */
  boolean evict() {
    if (!eviction.isAllowed()) {
      return false;
    }
    pauseRefill();
    int half = (counts.idle() + 1) / 2;
    return (half > 0 && eviction.discardColdest(half) > 0) || takeBackNext();
  }

  private void forge(int count) {
    counts.forging(count);
    try {
      factory.forge(count, this::addForged);
    } finally {
      counts.forging(0);
    }
  }

  private void addForged(Tracee tracee) {
    counts.beginTransition();
    try {
      counts.forged();
      assignOrPush(register(tracee));
    } catch (Error e) {
      tracee.kill(); // the sweep reaps it
      throw e;
    } finally {
      counts.endTransition();
    }
  }

  private StubProcess register(Tracee tracee) {
    StubProcess process = new StubProcess(this, table, tracee);
    try {
      processes.put(tracee.pid(), process);
    } catch (Error e) {
      process.retire();
      throw e;
    }
    counts.registered();
    return process;
  }

  /**
   * Makes a copy of a leased stub, and leases it.
   *
   * @throws StubPoolFullException if maxStubs stubs are alive and none of them can be discarded
   * @throws IllegalStateException if a guest runs, or the parent's lease is closed
   */
  Lease spawn(Lease parent) {
    if (!makeRoom()) {
      throw Failures.make()
          .poolFull(
              "pool %s: no room for a copy of stub %d, all %d (maxStubs) are in use; %s"
                  .formatted(
                      options.name(), parent.pid(), options.maxStubs(), stats(() -> 0).summary()));
    }
    return withEviction(() -> copyOf(parent));
  }

  private Lease copyOf(Lease parent) {
    parent.checkOpen(); // making room may have reset the parent, if its lease was closed meanwhile
    StubProcess process = parent.process();
    if (!process.beginCopy()) {
      throw new IllegalStateException(
          "a guest runs in stub " + parent.pid() + ": all must be stopped when it is copied");
    }
    StubProcess copy;
    try {
      copy =
          process.mappings.copied(
              () -> registerCopy(factory.copy(process.tracee)), made -> made.mappings);
    } finally {
      process.endCopy();
    }
    try {
      return beginNewLease(copy.makeIdle(pool, lost));
    } catch (Error e) {
      copy.tracee.kill(); // no caller has a handle of it; the sweep reaps it
      throw e;
    }
  }

  private StubProcess registerCopy(Tracee tracee) {
    counts.beginTransition();
    try {
      StubProcess copy = register(tracee);
      counts.countAsCopy(copy);
      return copy;
    } catch (Error e) {
      tracee.kill(); // it is not registered; the sweep reaps it
      throw e;
    } finally {
      counts.endTransition();
    }
  }

  /** Discards stubs that are not leased until there is room for one; returns whether there is. */
  private boolean makeRoom() {
    while (room() <= 0) {
      boolean discarded = eviction.isAllowed() && line.isEmpty() && eviction.discardColdest(1) > 0;
      if (!discarded && !takeBackNext()) {
        return false;
      }
    }
    return true;
  }

  /** Begins the lease of a new handle, which no other thread can have. */
  private static Lease beginNewLease(Lease stub) {
    if (!stub.beginLease()) {
      throw new IllegalStateException("another thread leased a stub before it was idle: " + stub);
    }
    return stub;
  }

  /** Gives a new or reset stub to the first in line, else pushes it. Part of a transition. */
  private void assignOrPush(StubProcess process) {
    counts.noLongerCopy(process);
    processes.putLast(process.tracee.pid(), process);
    Lease stub = process.makeIdle(pool, lost);
    if (line.isEmpty()) {
      counts.becameIdle();
      idle.push(stub);
    } else if (!line.give(beginNewLease(stub))) {
      stub.close(); // the last request in line was cancelled meanwhile
    }
  }

  /**
   * Takes the next stub from the queue and resets or discards it; returns whether there was one.
   */
  private boolean takeBackNext() {
    if (returned.isEmpty()) {
      return false;
    }
    StubProcess process = nextReturned();
    if (process == null) {
      Thread.yield(); // a thread was preempted within offer, perhaps by this one
    } else {
      endLease(process);
      takeBack(process);
    }
    return true;
  }

  private static void endLease(StubProcess process) {
    try {
      process.endDeathWatch();
    } catch (Error e) {
      process.tracee.kill(); // the sweep reaps it, and completes its death watch then
      throw e;
    }
  }

  private @Nullable StubProcess nextReturned() {
    counts.beginTransition();
    try {
      StubProcess process = returned.relaxedPoll();
      if (process != null) {
        counts.dequeued(process);
      }
      return process;
    } finally {
      counts.endTransition();
    }
  }

  /**
   * Resets or discards a stub, unless it is still in use; {@link #retryInUse} repeats this then.
   */
  private void takeBack(StubProcess process) {
    try {
      if (isInUse(process)) {
        // Copies or runs of the old lease are under way. No more can begin, so this ends.
        inUse.add(process);
      } else if (process.tracee.death() == null && resetOrDiscard(process)) {
        finishReset(process);
      }
    } catch (Error e) {
      process.tracee.kill(); // it may be reset in part; the sweep reaps it
      throw e;
    }
  }

  private static boolean isInUse(StubProcess process) {
    return process.tracee.death() == null && (process.tracee.isHeld() || process.hasRuns());
  }

  private void finishReset(StubProcess process) {
    counts.beginTransition();
    try {
      assignOrPush(process);
      counts.stopResetting(process);
    } finally {
      counts.endTransition();
    }
  }

  /** Resets or discards a stub as {@link OnRelease} says; returns whether it is reset. */
  private boolean resetOrDiscard(StubProcess process) {
    if (options.onRelease() == OnRelease.DISCARD) {
      discard(process);
      return false;
    }
    return recycle(process);
  }

  /** Resets a stub, or discards it if it cannot be reset; returns whether it is reset. */
  private boolean recycle(StubProcess process) {
    Tracee tracee = process.tracee;
    if (!tracee.used()) {
      return true;
    }
    String why;
    try {
      why = factory.recycle(tracee);
    } catch (RuntimeException e) {
      why = e instanceof StubPoolException ? Failures.message(e) : e.toString();
    }
    if (why == null) {
      process.mappings.clear();
      counts.recycled();
      return true;
    }
    if (tracee.death() == null) {
      if (options.onStubDeath() == OnStubDeath.KILL_JVM) {
        LOG.error(
            "pool {}: stub {} cannot be reset: {}; it is killed, which ends the JVM (KILL_JVM)",
            options.name(),
            tracee.pid(),
            why);
      } else {
        LOG.warn(
            "pool {}: stub {} is discarded instead of recycled: {}",
            options.name(),
            tracee.pid(),
            why);
      }
      discard(process);
    }
    return false;
  }

  private void discard(StubProcess process) {
    process.markDiscarded();
    factory.discard(process.tracee);
  }

  private void retryInUse() {
    for (int left = inUse.size(); left > 0; left--) {
      takeBack(inUse.remove());
    }
  }

  /** Ends the leases whose handles are garbage. */
  private void reclaimLost() {
    LeaseGuard guard;
    while ((guard = lost.poll()) != null) {
      StubProcess process = guard.process;
      if (process.giveBack(guard.generation)) {
        counts.lostLease();
        LOG.warn(
            "pool {}: the lease of stub {} was never closed, and its handle is garbage: taken"
                + " back{}",
            options.name(),
            process.tracee.pid(),
            guard.acquired() == null ? "; set leakTraces to learn where it was acquired" : "",
            guard.acquired());
      }
    }
  }

  /**
   * Removes a process that was reaped. Called for every process that the tracer reaps, including
   * sources and stubs that were never registered, which are ignored.
   */
  void ended(Tracee tracee) {
    StubProcess process = processes.get(tracee.pid());
    if (process == null || process.tracee != tracee) {
      return; // not a stub, or removed before, so that the pid may be another stub's by now
    }
    processes.remove(tracee.pid());
    counts.beginTransition();
    try {
      StubState before = process.retire();
      if (before == StubState.IDLE) {
        eviction.becameStale();
      }
      boolean queued =
          before == StubState.RESETTING && !process.resetting && !process.hasEnqueueFailed();
      counts.ended(process, queued);
    } finally {
      counts.endTransition();
    }
    process.endDeathWatch();
  }

  @Nullable StubProcess find(int pid) {
    return processes.get(pid);
  }

  Collection<StubProcess> all() {
    return processes.values();
  }

  long created() {
    return counts.created();
  }

  long died() {
    return counts.died();
  }

  /** Removes the handles of dead and discarded stubs from the stack of idle stubs. */
  void unlinkStale() {
    eviction.unlinkStale();
  }

  /**
   * Gives no more stubs, and serves the queue no more: what is in it counts as leased from now on.
   */
  void close() {
    line.close();
    idle.clear();
    counts.beginTransition();
    try {
      counts.close();
    } finally {
      counts.endTransition();
    }
  }
}
