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
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
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
 *   <li>Idle stubs beyond demand are discarded, those that were idle for longest first, within a
 *       sixtieth of {@code idleTimeout}. Demand is {@code minIdle} plus the most stubs that callers
 *       of acquire had at once within the last one to two {@code idleTimeout}. Copies of stubs do
 *       not count, since an idle stub cannot replace a copy.
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

  /** How many times in an idleTimeout the idle stubs are compared with demand. */
  private static final int TRIMS = 60;

  /** The most stubs discarded in one turn, since callers wait for the turn to end. */
  private static final int MOST_TRIMMED_AT_ONCE = 8;

  /** Stale handles are unlinked once they are more than this and more than the idle stubs. */
  private static final int MOST_STALE = 16;

  private static final int RETURNED_CHUNK = 256;

  private final StubPoolOptions options;
  private final Pool pool;
  private final LeaseTable table;
  private final StubFactory factory;
  private final LongSupplier clock;
  private final AcquireLine line;
  private final Runnable wake;

  private final long trimNanos;

  private final IdleStubs idle = new IdleStubs();
  private final MpscUnboundedVarHandleArrayQueue<StubProcess> returned =
      new MpscUnboundedVarHandleArrayQueue<>(RETURNED_CHUNK);
  private final LeaseGuard.LostLeases lost = new LeaseGuard.LostLeases();

  // Accessed only by the tracer thread.

  /** All stubs by pid. Idle stubs are in the order in which they became idle, the oldest first. */
  private final SequencedMap<Integer, StubProcess> processes = new LinkedHashMap<>();

  /** Stubs whose lease has ended while a copy or a guest run was under way in them. */
  private final Deque<StubProcess> inUse = new ArrayDeque<>();

  /** How many handles in the stack are of stubs that are dead or discarded. */
  private int stale;

  private long pausedUntil;
  private boolean paused;

  /** How many stubs are copies of stubs and have not been idle since they were made. */
  private int copies;

  private long windowStart;

  /** The most stubs that callers of acquire had at once in this window. */
  private int demand;

  /** The same of the window before. */
  private int demandBefore;

  private long trimmedAt;

  /** How many idle stubs trimming is still to discard. */
  private int surplus;

  /** How many stubs died in the queue of returned stubs, and are counted until they leave it. */
  private int diedWhileQueued;

  // Read by any thread; written only by the tracer thread, except idleCount.

  private final AtomicInteger total = new AtomicInteger();

  /**
   * How many stubs can be leased. Callers of {@link #poll} decrement it. Every other change of the
   * counts is made by the tracer thread, as part of a transition.
   */
  private final AtomicInteger idleCount = new AtomicInteger();

  /**
   * How many stubs the tracer has taken from the queue or the stack and is resetting or discarding.
   * Includes those in {@link #inUse}.
   */
  private final AtomicInteger resetting = new AtomicInteger();

  /**
   * A sequence lock: odd while the tracer moves a stub from one count to another. Written only by
   * the tracer thread.
   */
  private final AtomicInteger transitions = new AtomicInteger();

  /**
   * Whether the queue of returned stubs is not served any more. Written as part of a transition.
   */
  private volatile boolean closed;

  private final AtomicInteger forging = new AtomicInteger();
  private final AtomicLong created = new AtomicLong();
  private final AtomicLong recycled = new AtomicLong();
  private final AtomicLong discarded = new AtomicLong();
  private final AtomicLong died = new AtomicLong();
  private final AtomicLong lostLeases = new AtomicLong();

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
    this.trimNanos = options.idleTimeout().toNanos() / TRIMS;
    this.windowStart = clock.getAsLong();
    this.trimmedAt = windowStart;
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
        idleCount.getAndDecrement(); // before its holder can close the lease
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
   * A snapshot of the counts. While {@code transitions} does not change, stubs change only from
   * idle to leased, and from leased to {@code returned}. So if the number of idle stubs is the same
   * before and after the other counts are read, all of them were true at one moment.
   */
  StubPoolStats stats(int unreaped) {
    int before;
    int alive;
    int free;
    int returning;
    do {
      before = transitions.get();
      alive = total.get();
      free = idleCount.get();
      returning = (closed ? 0 : returned.size()) + resetting.get();
    } while (idleCount.get() != free || !isUnchanged(before));
    return StubPoolStats.builder()
        .total(alive)
        .idle(free)
        .resetting(returning)
        .forging(forging.get())
        .waiting(line.waiting())
        .unreaped(unreaped)
        .created(created.get())
        .recycled(recycled.get())
        .discarded(discarded.get())
        .died(died.get())
        .lost(lostLeases.get())
        .build();
  }

  /**
   * Whether no transition was under way at {@code before} or began since. If one was, yields the
   * CPU first, so that it can end.
   */
  private boolean isUnchanged(int before) {
    if ((before & 1) == 0 && transitions.get() == before) {
      return true;
    }
    Thread.yield();
    return false;
  }

  /** Whether any stub is leased or being reset. May be called from any thread. */
  boolean hasLeased() {
    return total.get() > idleCount.get();
  }

  // ---- the tracer thread ----

  /**
   * Does the next step that is due.
   *
   * @return whether there is more to do at once
   */
  boolean turn() {
    reclaimLost();
    demand = Math.max(demand, demandNow());
    retryInUse();
    if (!line.isEmpty()) {
      return serveLine();
    }
    return takeBackNext() || refill() || trim();
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
    long before = created.getPlain();
    try {
      forge(count);
    } catch (RuntimeException e) {
      if (takeBackNext()) {
        return; // a stub was reset or discarded: the next turn tries again
      }
      // The callers for whom this batch was made get the failure. Those behind them may still be
      // served.
      for (long left = count - (created.getPlain() - before); left > 0; left--) {
        line.fail(
            e instanceof SystemCallException s
                ? Failures.make().again(s)
                : Failures.make().other(Failures.message(e), e));
      }
    }
  }

  private int room() {
    return options.maxStubs() - total.getPlain();
  }

  /** Makes some of the stubs that are missing to minIdle; returns whether there is more to do. */
  private boolean refill() {
    int ready = idleCount.get();
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

  /** Discards some of the idle stubs beyond demand; returns whether there is more to do. */
  private boolean trim() {
    long now = clock.getAsLong();
    if (now - windowStart >= options.idleTimeout().toNanos()) {
      windowStart = now;
      demandBefore = demand;
      demand = demandNow();
      trimmedAt = now - trimNanos;
    }
    if (now - trimmedAt >= trimNanos) {
      trimmedAt = now;
      surplus = mayDiscardIdle() ? options.maxStubs() : 0;
    }
    if (surplus > 0) {
      surplus = Math.clamp(beyondDemand(), 0, surplus); // some may have been leased since
    }
    if (surplus == 0) {
      return false;
    }
    int discarded = discardColdest(Math.min(surplus, MOST_TRIMMED_AT_ONCE));
    surplus = discarded > 0 ? surplus - discarded : 0;
    if (surplus == 0) {
      unlinkStale();
    }
    return surplus > 0;
  }

  /** How many stubs callers of acquire have at present. */
  private int demandNow() {
    return total.getPlain() - idleCount.get() - copies;
  }

  /** How many idle stubs would be left over if demand rose to its recent maximum again. */
  private int beyondDemand() {
    int free = idleCount.get();
    int wanted = Math.max(demand, demandBefore) - demandNow();
    return free - options.minIdle() - Math.max(0, wanted);
  }

  private boolean mayDiscardIdle() {
    return options.onStubDeath() != OnStubDeath.KILL_JVM;
  }

  /**
   * Discards up to {@code most} idle stubs, those that were idle for longest first; returns how
   * many.
   */
  private int discardColdest(int most) {
    List<StubProcess> coldest = new ArrayList<>(most);
    try {
      claimColdest(coldest, most);
    } finally {
      for (int i = 0; i < coldest.size(); i++) { // kill all before waiting: they die in parallel
        coldest.get(i).markDiscarded();
        factory.kill(coldest.get(i).tracee);
      }
    }
    RuntimeException failure = null;
    for (StubProcess process : coldest) {
      try {
        factory.discard(process.tracee);
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (stale > Math.max(MOST_STALE, idleCount.get())) {
      unlinkStale();
    }
    if (failure != null) {
      throw failure;
    }
    return coldest.size();
  }

  private void claimColdest(List<StubProcess> coldest, int most) {
    List<StubProcess> busy = new ArrayList<>();
    for (StubProcess process : processes.values()) {
      if (coldest.size() == most || idleCount.get() == 0) {
        break;
      }
      (claimIdle(process) ? coldest : busy).add(process);
    }
    for (StubProcess process : busy) {
      // So that the next search does not find it at the front again.
      processes.putLast(process.tracee.pid(), process);
    }
  }

  private boolean claimIdle(StubProcess process) {
    if (process.state() != StubState.IDLE) {
      return false;
    }
    beginTransition();
    try {
      if (!process.claimIdle()) {
        return false;
      }
      idleCount.getAndDecrement();
      stale++;
      startResetting(process);
      return true;
    } finally {
      endTransition();
    }
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
    if (!mayDiscardIdle()) {
      return false;
    }
    pauseRefill();
    int half = (idleCount.get() + 1) / 2;
    return (half > 0 && discardColdest(half) > 0) || takeBackNext();
  }

  private void forge(int count) {
    forging.set(count);
    try {
      factory.forge(count, this::addForged);
    } finally {
      forging.set(0);
    }
  }

  private void addForged(Tracee tracee) {
    beginTransition();
    try {
      forging.decrementAndGet();
      assignOrPush(register(tracee));
    } catch (Error e) {
      tracee.kill(); // the sweep reaps it
      throw e;
    } finally {
      endTransition();
    }
  }

  /** Begins moving a stub from one count to another. */
  private void beginTransition() {
    transitions.incrementAndGet();
  }

  private void endTransition() {
    transitions.incrementAndGet();
  }

  private void startResetting(StubProcess process) {
    process.resetting = true;
    resetting.setRelease(resetting.getPlain() + 1);
  }

  private void stopResetting(StubProcess process) {
    if (process.resetting) {
      process.resetting = false;
      resetting.setRelease(resetting.getPlain() - 1);
    }
  }

  private void noLongerCopy(StubProcess process) {
    if (process.copy) {
      process.copy = false;
      copies--;
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
    total.setRelease(total.getPlain() + 1);
    created.setRelease(created.getPlain() + 1);
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
                  .formatted(options.name(), parent.pid(), options.maxStubs(), stats(0).summary()));
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
    beginTransition();
    try {
      StubProcess copy = register(tracee);
      copy.copy = true;
      copies++;
      return copy;
    } catch (Error e) {
      tracee.kill(); // it is not registered; the sweep reaps it
      throw e;
    } finally {
      endTransition();
    }
  }

  /** Discards stubs that are not leased until there is room for one; returns whether there is. */
  private boolean makeRoom() {
    while (room() <= 0) {
      boolean discarded = mayDiscardIdle() && line.isEmpty() && discardColdest(1) > 0;
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
    noLongerCopy(process);
    processes.putLast(process.tracee.pid(), process);
    Lease stub = process.makeIdle(pool, lost);
    if (line.isEmpty()) {
      idleCount.getAndIncrement();
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
    beginTransition();
    try {
      StubProcess process = returned.relaxedPoll();
      if (process != null && process.diedWhileQueued) {
        diedWhileQueued--;
        countOut(process);
      } else if (process != null) {
        startResetting(process);
      }
      return process;
    } finally {
      endTransition();
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
    beginTransition();
    try {
      assignOrPush(process);
      stopResetting(process);
    } finally {
      endTransition();
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
      recycled.setRelease(recycled.getPlain() + 1);
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
        lostLeases.setRelease(lostLeases.getPlain() + 1);
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
    beginTransition();
    try {
      StubState before = process.retire();
      if (before == StubState.IDLE) {
        idleCount.getAndDecrement();
        stale++;
      }
      boolean queued =
          before == StubState.RESETTING && !process.resetting && !process.hasEnqueueFailed();
      if (queued && !closed) {
        // Counted out when it leaves the queue: total must not be less than the sum of its parts.
        process.diedWhileQueued = true;
        diedWhileQueued++;
      } else {
        countOut(process);
      }
    } finally {
      endTransition();
    }
    process.endDeathWatch();
  }

  /** Removes a dead stub from the counts. Part of a transition. */
  private void countOut(StubProcess process) {
    stopResetting(process);
    noLongerCopy(process);
    AtomicLong count = process.isDiscarded() ? discarded : died;
    count.setRelease(count.getPlain() + 1);
    total.setRelease(total.getPlain() - 1);
  }

  @Nullable StubProcess find(int pid) {
    return processes.get(pid);
  }

  Collection<StubProcess> all() {
    return processes.values();
  }

  long created() {
    return created.getPlain();
  }

  long died() {
    return died.getPlain();
  }

  /** Removes the handles of dead and discarded stubs from the stack of idle stubs. */
  void unlinkStale() {
    idle.unlink(stub -> !stub.process().isIdle(stub.generation()));
    stale = 0;
  }

  /**
   * Gives no more stubs, and serves the queue no more: what is in it counts as leased from now on.
   */
  void close() {
    line.close();
    idle.clear();
    beginTransition();
    try {
      closed = true;
      died.setRelease(died.getPlain() + diedWhileQueued);
      total.setRelease(total.getPlain() - diedWhileQueued);
      diedWhileQueued = 0;
    } finally {
      endTransition();
    }
  }
}
