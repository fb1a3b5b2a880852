package dev.stubpool;

import dev.stubpool.lease.LeaseTable;
import dev.stubpool.nativestubs.Errno;
import dev.stubpool.trace.Forge;
import dev.stubpool.trace.Tracee;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a pool's stubs come from and go to: who gets one, when more are made, what becomes of those
 * that are given back, how many stay.
 *
 * <p>Policy only: the {@link StubFactory} performs the operations and a clock tells the time, so
 * all of it runs without a kernel.
 *
 * <ol>
 *   <li>Idle stubs lie in a lock-free stack, each as the handle of its next lease. Any thread takes
 *       one by {@link #poll}: two CAS, and nothing is allocated.
 *   <li>Stubs given back lie in a lock-free queue. One a turn is made like new, after all that
 *       callers wait for: injections into other stubs do not stand behind a burst of closes.
 *   <li>Who finds no idle stub stands in {@link AcquireLine}. As long as somebody does, nobody else
 *       takes an idle stub: who is first in line gets what is idle, else what comes back, else what
 *       is made for him.
 *   <li>When nobody waits and nothing has come back, {@code minIdle} is seen to, in batches as
 *       large as the number of idle stubs: while there are few, and a caller may soon have to wait
 *       for the batch to end, it is small.
 *   <li>Idle stubs beyond demand are discarded, the coldest first, within a sixtieth of {@code
 *       idleTimeout}. Demand is {@code minIdle} and the most stubs that callers of acquire had at
 *       once, within the last one to two {@code idleTimeout}. A copy does not count: no idle stub
 *       can take its place.
 *   <li>When the kernel refuses a process or a thread to a caller, idle stubs make room for it.
 * </ol>
 */
final class StubSupply {
  private static final Logger LOG = LoggerFactory.getLogger(StubSupply.class);

  /** The most stubs made in the background at a time. */
  private static final int LARGEST_BATCH = 32;

  /** How long the background rests after the kernel refused it a process. */
  private static final long REST_NANOS = Duration.ofSeconds(1).toNanos();

  /** Idle stubs beyond demand are looked for so many times in an idleTimeout. */
  private static final int TRIMS = 60;

  /** The most stubs discarded in one turn: others wait meanwhile. */
  private static final int MOST_TRIMMED_AT_ONCE = 8;

  /** Stale handles among the idle are left there up to so many, or as many as are idle. */
  private static final int MOST_STALE = 16;

  private static final int RETURNED_CHUNK = 256;

  private final StubPoolOptions options;
  private final StubPool pool;
  private final LeaseTable table;
  private final StubFactory factory;
  private final LongSupplier clock;
  private final AcquireLine line;
  private final Runnable wake;

  private final long trimNanos;

  private final IdleStubs idle = new IdleStubs();
  private final MpscUnboundedVarHandleArrayQueue<StubProcess> returned =
      new MpscUnboundedVarHandleArrayQueue<>(RETURNED_CHUNK);
  private final LeaseGuard.Lost lost = new LeaseGuard.Lost();

  // The tracer's alone.

  /** By pid; those that are idle are in the order in which they became so, the coldest first. */
  private final SequencedMap<Integer, StubProcess> processes = new LinkedHashMap<>();

  private final Deque<StubProcess> held = new ArrayDeque<>();

  /** Handles among the idle whose stubs are dead or discarded. */
  private int stale;

  private long restUntil;
  private boolean resting;

  /** Copies that have not been idle since. */
  private int copies;

  private long windowStart;

  /** The most stubs that callers of acquire had at once in this window, and in the last. */
  private int demand;

  private int demandBefore;
  private long trimmedAt;
  private int surplus;

  // Read by any thread, written by the tracer alone, but for idleCount.

  private final AtomicInteger total = new AtomicInteger();

  /**
   * Stubs that can be leased. Callers of {@link #poll} subtract from it; all else that changes
   * where a stub is counted is a move of the tracer's.
   */
  private final AtomicInteger idleCount = new AtomicInteger();

  /** Stubs that the tracer takes back or discards, those held among them. */
  private final AtomicInteger inHand = new AtomicInteger();

  /** Odd while a stub is between two counts: a seqlock, written by the tracer alone. */
  private final AtomicInteger moves = new AtomicInteger();

  private final AtomicInteger forging = new AtomicInteger();
  private final AtomicLong created = new AtomicLong();
  private final AtomicLong recycled = new AtomicLong();
  private final AtomicLong discarded = new AtomicLong();
  private final AtomicLong died = new AtomicLong();
  private final AtomicLong lostLeases = new AtomicLong();

  /**
   * Makes an empty supply.
   *
   * @param pool for the handles, which call it
   * @param clock as {@link System#nanoTime}
   * @param wake makes the tracer thread take its turn
   */
  StubSupply(
      StubPoolOptions options,
      StubPool pool,
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
   * Leases an idle stub; null if there is none, or if others wait: they came first. No system call,
   * no lock, no allocation.
   */
  Stub poll() {
    return line.waiting() > 0 ? null : take();
  }

  /** Leases an idle stub, whoever waits; null if there is none. */
  private Stub take() {
    Stub stub;
    while ((stub = idle.pop()) != null) {
      if (stub.beginLease()) {
        idleCount.getAndDecrement(); // before its holder can give it back
        return stub;
      }
    }
    return null;
  }

  /** Waits in line for a stub. */
  Stub await(Duration timeout) {
    return line.await(timeout);
  }

  /** Takes back a process whose lease has ended. */
  void returned(StubProcess process) {
    returned.offer(process);
    wake.run();
  }

  /** Has the tracer look again at what was given back and still in use. */
  void wake() {
    wake.run();
  }

  /**
   * Counts of one moment. While {@code moves} stands still, stubs only go from the idle to holders
   * and from holders to {@code returned}. So if the number of idle stubs was the same before and
   * after the others were counted, all were true at once.
   */
  StubPoolStats stats(int filterInstructions, int sourcePid, int unreaped) {
    int before;
    int alive;
    int free;
    int returning;
    do {
      before = moves.get();
      alive = total.get();
      free = idleCount.get();
      returning = returned.size() + inHand.get();
    } while (idleCount.get() != free || !isStill(before));
    return new StubPoolStats(
        alive,
        free,
        alive - free - returning,
        returning,
        forging.get(),
        line.waiting(),
        created.get(),
        recycled.get(),
        discarded.get(),
        died.get(),
        lostLeases.get(),
        filterInstructions,
        sourcePid,
        unreaped);
  }

  /** Whether no stub moved since, nor moves; if not, after a moment in which the move may end. */
  private boolean isStill(int before) {
    if ((before & 1) == 0 && moves.get() == before) {
      return true;
    }
    Thread.yield();
    return false;
  }

  /** Whether stubs are leased or on their way back. */
  boolean hasLeased() {
    return total.get() > idleCount.get();
  }

  // ---- the tracer thread ----

  /**
   * One step of what is to be done.
   *
   * @return whether there is more to do at once
   */
  boolean turn() {
    reclaimLost();
    demand = Math.max(demand, demandNow());
    retryHeld();
    if (!line.isEmpty()) {
      return serveLine();
    }
    return takeBackNext() || keepReady() || trim();
  }

  /** Whether a turn would find something that was given back. */
  boolean hasReturned() {
    return !returned.isEmpty() || (!held.isEmpty() && isAnyHeldFree());
  }

  private boolean isAnyHeldFree() {
    for (StubProcess process : held) {
      if (!isInUse(process)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether a stub was given back whose memory somebody still copies. Nobody tells of the end of
   * that; who ends the last run in a stub does.
   */
  boolean hasHeld() {
    for (StubProcess process : held) {
      if (process.tracee.isHeld()) {
        return true;
      }
    }
    return false;
  }

  /** Whether the line can be served further. */
  private boolean serveLine() {
    Stub stub;
    while (!line.isEmpty() && (stub = take()) != null) {
      if (!line.give(stub)) {
        stub.close(); // the last in line gave up just now
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
    return takeBackNext(); // which may make room
  }

  private void forgeForLine(int count) {
    long before = created.getPlain();
    try {
      forge(count);
    } catch (RuntimeException e) {
      if (takeBackNext()) {
        return; // one less to make, or room for it: once more
      }
      // Who could not be served is told why; who stands behind them may have better luck.
      for (long left = count - (created.getPlain() - before); left > 0; left--) {
        line.fail(
            e instanceof SystemCallException s
                ? s.again()
                : new StubPoolException(e.getMessage(), e));
      }
    }
  }

  private int room() {
    return options.maxStubs() - total.getPlain();
  }

  /** One step towards minIdle stubs; whether there is more to do. */
  private boolean keepReady() {
    int ready = idleCount.get();
    int missing = Math.min(options.minIdle() - ready, room());
    if (missing <= 0 || isResting()) {
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
          Duration.ofNanos(REST_NANOS).toSeconds());
      rest();
      return false;
    }
  }

  private void rest() {
    resting = true;
    restUntil = clock.getAsLong() + REST_NANOS;
  }

  private boolean isResting() {
    resting = resting && clock.getAsLong() - restUntil < 0;
    return resting;
  }

  /** One step of discarding what nobody needs; whether there is more to do. */
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
    surplus = Math.clamp(beyondDemand(), 0, surplus); // some may be in use again
    if (surplus == 0) {
      return false;
    }
    int discarded = discardColdest(Math.min(surplus, MOST_TRIMMED_AT_ONCE));
    surplus = discarded > 0 ? surplus - discarded : 0;
    if (surplus == 0) {
      dropStale();
    }
    return surplus > 0;
  }

  /** How many stubs callers of acquire have now. */
  private int demandNow() {
    return total.getPlain() - idleCount.get() - copies;
  }

  /** How many of the idle are not needed even if as many are acquired as were at once. */
  private int beyondDemand() {
    int free = idleCount.get();
    int wanted = Math.max(demand, demandBefore) - demandNow();
    return free - options.minIdle() - Math.max(0, wanted);
  }

  private boolean mayDiscardIdle() {
    return options.onStubDeath() != OnStubDeath.KILL_JVM;
  }

  /** Discards idle stubs, those first that were idle for longest; how many. */
  private int discardColdest(int most) {
    List<StubProcess> coldest = new ArrayList<>(most);
    try {
      claimColdest(coldest, most);
    } finally {
      for (int i = 0; i < coldest.size(); i++) { // all first: they die side by side
        coldest.get(i).discard();
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
      dropStale();
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
      processes.putLast(process.tracee.pid(), process); // or the next search would pass it again
    }
  }

  private boolean claimIdle(StubProcess process) {
    if (process.state() != StubState.IDLE) {
      return false;
    }
    beginMove();
    try {
      if (!process.claimIdle()) {
        return false;
      }
      idleCount.getAndDecrement();
      stale++;
      takeInHand(process);
      return true;
    } finally {
      endMove();
    }
  }

  /**
   * Does something for which the kernel makes a process or a thread. If the kernel refuses it, idle
   * stubs are discarded, half of them at a time, and it is done again.
   */
  <T> T makingRoom(Supplier<T> work) {
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
   * Discards half of the idle stubs, or one on its way back, and makes none ready for a while;
   * false if there is nothing to discard.
   */
  boolean evict() {
    if (!mayDiscardIdle()) {
      return false;
    }
    rest();
    int half = (idleCount.get() + 1) / 2;
    return (half > 0 && discardColdest(half) > 0) || takeBackNext();
  }

  private void forge(int count) {
    forging.set(count);
    try {
      factory.forge(count, this::born);
    } finally {
      forging.set(0);
    }
  }

  private void born(Tracee tracee) {
    beginMove();
    try {
      forging.decrementAndGet();
      ready(register(tracee));
    } catch (Error e) {
      tracee.kill(); // it is found dead
      throw e;
    } finally {
      endMove();
    }
  }

  /** A stub is about to leave one count and to enter another. */
  private void beginMove() {
    moves.incrementAndGet();
  }

  private void endMove() {
    moves.incrementAndGet();
  }

  private void takeInHand(StubProcess process) {
    process.inHand = true;
    inHand.setRelease(inHand.getPlain() + 1);
  }

  private void letGo(StubProcess process) {
    if (process.inHand) {
      process.inHand = false;
      inHand.setRelease(inHand.getPlain() - 1);
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
   * Leases a copy of a leased stub.
   *
   * @throws StubPoolFullException if there are maxStubs
   * @throws IllegalStateException if the lease is closed: to make room may have taken it back
   */
  Stub spawn(Stub parent) {
    if (!makeRoom()) {
      throw new StubPoolFullException(
          "pool %s: no room for a copy of stub %d, all %d (maxStubs) are in use; %s"
              .formatted(
                  options.name(), parent.pid(), options.maxStubs(), stats(0, 0, 0).summary()));
    }
    return makingRoom(() -> copyOf(parent));
  }

  private Stub copyOf(Stub parent) {
    parent.checkOpen(); // to make room may have taken it back
    StubProcess process = parent.process();
    if (!process.stopsForCopy()) {
      throw new IllegalStateException(
          "a guest runs in stub " + parent.pid() + ": all must be stopped when it is copied");
    }
    StubProcess copy;
    try {
      copy = process.mappings.copied(() -> registerCopy(factory.copy(process.tracee)));
    } finally {
      process.copied();
    }
    try {
      return leased(copy.shelve(pool, lost));
    } catch (Error e) {
      copy.tracee.kill(); // nobody has it: it is found dead
      throw e;
    }
  }

  private StubProcess registerCopy(Tracee tracee) {
    beginMove();
    try {
      StubProcess copy = register(tracee);
      copy.copy = true;
      copies++;
      return copy;
    } catch (Error e) {
      tracee.kill(); // nobody knows it: it is found dead
      throw e;
    } finally {
      endMove();
    }
  }

  /** Discards stubs that nobody has until there is room for one; whether there is. */
  private boolean makeRoom() {
    while (room() <= 0) {
      boolean discarded = mayDiscardIdle() && line.isEmpty() && discardColdest(1) > 0;
      if (!discarded && !takeBackNext()) {
        return false;
      }
    }
    return true;
  }

  /** Leases a handle that nobody else knows. */
  private static Stub leased(Stub stub) {
    if (!stub.beginLease()) {
      throw new IllegalStateException("a stub nobody knew was leased: " + stub);
    }
    return stub;
  }

  /** A stub like new goes to who waits first, else to the idle. Part of a move. */
  private void ready(StubProcess process) {
    noLongerCopy(process);
    processes.putLast(process.tracee.pid(), process);
    Stub stub = process.shelve(pool, lost);
    if (line.isEmpty()) {
      idleCount.getAndIncrement();
      idle.push(stub);
    } else if (!line.give(leased(stub))) {
      stub.close(); // the last in line gave up just now
    }
  }

  /** Takes back one of those given back; false if there is none. */
  private boolean takeBackNext() {
    if (returned.isEmpty()) {
      return false;
    }
    StubProcess process = nextReturned();
    if (process == null) {
      Thread.yield(); // who offers it was preempted in the middle, perhaps by this thread
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
      process.tracee.kill(); // it is found dead, and whoever watches is told then
      throw e;
    }
  }

  private StubProcess nextReturned() {
    beginMove();
    try {
      StubProcess process = returned.relaxedPoll();
      if (process != null && process.diedInQueue) {
        countEnd(process);
      } else if (process != null) {
        takeInHand(process);
      }
      return process;
    } finally {
      endMove();
    }
  }

  /** Takes back one that the tracer has in hand; it has it until it is ready, or has ended. */
  private void takeBack(StubProcess process) {
    try {
      if (isInUse(process)) {
        // Copies and runs are under way under the old lease, and none begin any more.
        held.add(process);
      } else if (process.tracee.death() == null && renew(process)) {
        readyAgain(process);
      }
    } catch (Error e) {
      process.tracee.kill(); // it may be half reset; the sweep finds it dead
      throw e;
    }
  }

  private static boolean isInUse(StubProcess process) {
    return process.tracee.death() == null && (process.tracee.isHeld() || process.hasRuns());
  }

  private void readyAgain(StubProcess process) {
    beginMove();
    try {
      ready(process);
      letGo(process);
    } finally {
      endMove();
    }
  }

  /** Makes it fit for somebody else as the options say; whether it is. */
  private boolean renew(StubProcess process) {
    if (options.onRelease() == OnRelease.DISCARD) {
      discard(process);
      return false;
    }
    return recycle(process);
  }

  /** Makes it like new, or gets rid of it; whether it is like new. */
  private boolean recycle(StubProcess process) {
    Tracee tracee = process.tracee;
    if (!tracee.used()) {
      return true;
    }
    String why;
    try {
      why = factory.recycle(tracee);
    } catch (RuntimeException e) {
      why = e instanceof StubPoolException ? e.getMessage() : e.toString();
    }
    if (why == null) {
      process.mappings.clear();
      recycled.setRelease(recycled.getPlain() + 1);
      return true;
    }
    if (tracee.death() == null) {
      if (options.onStubDeath() == OnStubDeath.KILL_JVM) {
        LOG.error(
            "pool {}: stub {} cannot be made like new: {}; its end is the JVM's (KILL_JVM)",
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
    process.discard();
    factory.discard(process.tracee);
  }

  private void retryHeld() {
    for (int left = held.size(); left > 0; left--) {
      takeBack(held.remove());
    }
  }

  /** Takes back leases whose handles nobody has any more. */
  private void reclaimLost() {
    LeaseGuard guard;
    while ((guard = lost.next()) != null) {
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

  /** Is told of every process that ended: stubs, sources, newborns that nobody got. */
  void ended(Tracee tracee) {
    StubProcess process = processes.get(tracee.pid());
    if (process == null || process.tracee != tracee) {
      return; // told again: its number may be another's by now
    }
    processes.remove(tracee.pid());
    beginMove();
    try {
      StubState before = process.retire();
      if (before == StubState.IDLE) {
        idleCount.getAndDecrement();
        stale++;
      }
      if (before == StubState.RESETTING && !process.inHand && !process.isNotQueued()) {
        process.diedInQueue = true; // or it would be missing from total, and not from the queue
      } else {
        countEnd(process);
      }
    } finally {
      endMove();
    }
    process.endDeathWatch();
  }

  /** Part of a move. */
  private void countEnd(StubProcess process) {
    letGo(process);
    noLongerCopy(process);
    AtomicLong count = process.isDiscarded() ? discarded : died;
    count.setRelease(count.getPlain() + 1);
    total.setRelease(total.getPlain() - 1);
  }

  StubProcess find(int pid) {
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

  /** Drops the handles of stubs that died or were discarded from among the idle. */
  void dropStale() {
    idle.unlink(stub -> !stub.process().isIdle(stub.generation()));
    stale = 0;
  }

  void close() {
    line.close();
    idle.clear();
  }
}
