package dev.stubpool;

import dev.stubpool.lease.LeaseTable;
import dev.stubpool.trace.Forge;
import dev.stubpool.trace.Tracee;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a pool's stubs come from and go to: who gets one, when more are made, what becomes of those
 * that are given back, how many stay.
 *
 * <p>It decides and does not do: processes are the {@link StubFactory}'s, time is a clock's, so all
 * of it runs without a kernel.
 *
 * <ol>
 *   <li>Idle stubs lie in a lock-free stack, each as the handle of its next lease. Any thread takes
 *       one by {@link #poll}: two CAS, and nothing is allocated.
 *   <li>Stubs given back lie in a lock-free queue. One a turn is made like new, after all that
 *       callers wait for: injections into other stubs do not stand behind a burst of closes.
 *   <li>Who finds no idle stub stands in {@link AcquireLine}. As long as somebody does, he gets
 *       what is idle, else what comes back, else what is made for him.
 *   <li>When nobody waits and nothing has come back, {@code minIdle} is seen to, in batches as
 *       large as the number of idle stubs: while there are few, and a caller may soon have to wait
 *       for the batch to end, it is small.
 *   <li>What stayed idle above {@code minIdle} for the whole of an {@code idleTimeout} is trimmed.
 * </ol>
 */
final class StubSupply {
  private static final Logger LOG = LoggerFactory.getLogger(StubSupply.class);

  /** The most stubs made in the background at a time. */
  private static final int LARGEST_BATCH = 32;

  /** How long the background rests after the kernel refused it a process. */
  private static final long REST_NANOS = Duration.ofSeconds(1).toNanos();

  private static final int RETURNED_CHUNK = 256;

  private final StubPoolOptions options;
  private final StubPool pool;
  private final LeaseTable table;
  private final StubFactory factory;
  private final LongSupplier clock;
  private final AcquireLine line;
  private final Runnable wake;

  private final IdleStubs idle = new IdleStubs();
  private final MpscUnboundedVarHandleArrayQueue<StubProcess> returned =
      new MpscUnboundedVarHandleArrayQueue<>(RETURNED_CHUNK);
  private final LeaseGuard.Lost lost = new LeaseGuard.Lost();

  // The tracer's alone.
  private final Map<Integer, StubProcess> processes = new HashMap<>();
  private final Deque<StubProcess> held = new ArrayDeque<>();
  private long restUntil;
  private boolean resting;
  private long windowStart;
  private int leastIdle;
  private int surplus;

  // Read by any thread, written by the tracer alone.
  private final AtomicInteger total = new AtomicInteger();
  private final AtomicInteger resetting = new AtomicInteger();

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
    this.windowStart = clock.getAsLong();
  }

  // ---- any thread ----

  /** Leases an idle stub, or null. No system call, no lock, no allocation. */
  Stub poll() {
    Stub stub;
    while ((stub = idle.pop()) != null) {
      if (stub.beginLease()) {
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

  StubPoolStats stats(int filterInstructions, int sourcePid) {
    int before;
    int alive;
    int free;
    int returning;
    do {
      before = moves.get();
      alive = total.get();
      free = Math.min(idle.size(), alive);
      returning = Math.min(returned.size() + resetting.get(), alive - free);
    } while (!isStill(before));
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
        sourcePid);
  }

  /** Whether no stub moved since, nor moves; if not, after a moment in which the move may end. */
  private boolean isStill(int before) {
    if ((before & 1) == 0 && moves.get() == before) {
      return true;
    }
    Thread.yield();
    return false;
  }

  // ---- the tracer thread ----

  /**
   * One step of what is to be done.
   *
   * @return whether there is more to do at once
   */
  boolean turn() {
    reclaimLost();
    leastIdle = Math.min(leastIdle, idle.size());
    retryHeld();
    if (!line.isEmpty()) {
      return serveLine();
    }
    return takeBackNext() || keepReady() || trim();
  }

  /** Whether a turn would find something that was given back. */
  boolean hasReturned() {
    return !returned.isEmpty();
  }

  /** Whether stubs were given back that somebody still uses: they come back at another turn. */
  boolean hasHeld() {
    return !held.isEmpty();
  }

  /** Whether the line can be served further. */
  private boolean serveLine() {
    Stub stub;
    while (!line.isEmpty() && (stub = poll()) != null) {
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
    int ready = idle.size();
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
      resting = true;
      restUntil = clock.getAsLong() + REST_NANOS;
      return false;
    }
  }

  private boolean isResting() {
    resting = resting && clock.getAsLong() - restUntil < 0;
    return resting;
  }

  /**
   * One step of getting rid of what nobody needed; whether there is more to do. The least number of
   * idle stubs of a whole window is the number that could have been missing all the time.
   */
  private boolean trim() {
    long now = clock.getAsLong();
    if (now - windowStart >= options.idleTimeout().toNanos()) {
      boolean allowed = options.onStubDeath() != OnStubDeath.KILL_JVM;
      surplus = allowed ? Math.max(0, leastIdle - options.minIdle()) : 0;
      windowStart = now;
      leastIdle = idle.size();
    }
    surplus = Math.clamp(idle.size() - options.minIdle(), 0, surplus); // some may be in use again
    if (surplus == 0) {
      return false;
    }
    surplus--;
    Stub stub = poll();
    if (stub == null) {
      surplus = 0;
      return false;
    }
    discard(stub.process());
    return surplus > 0;
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
    move(
        () -> {
          forging.decrementAndGet();
          ready(register(tracee));
        });
  }

  /** Has a stub leave one count and enter another: nobody is told of it in neither, or in both. */
  private void move(Runnable step) {
    moves.incrementAndGet();
    try {
      step.run();
    } finally {
      moves.incrementAndGet();
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
              .formatted(options.name(), parent.pid(), options.maxStubs(), stats(0, 0).summary()));
    }
    parent.checkOpen();
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
    return leased(copy.shelve(pool, lost));
  }

  private StubProcess registerCopy(Tracee copy) {
    try {
      return register(copy);
    } catch (Error e) {
      copy.kill(); // it is not registered; the sweep finds it dead
      throw e;
    }
  }

  /** Gives up stubs that nobody has until there is room for one; whether there is. */
  private boolean makeRoom() {
    boolean allowed = options.onStubDeath() != OnStubDeath.KILL_JVM;
    while (room() <= 0) {
      Stub spare = allowed && line.isEmpty() ? poll() : null;
      if (spare != null) {
        discard(spare.process());
      } else if (!takeBackNext()) {
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

  /** A stub like new goes to who waits first, else to the idle. */
  private void ready(StubProcess process) {
    Stub stub = process.shelve(pool, lost);
    if (line.isEmpty()) {
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
    resetting.incrementAndGet(); // before it leaves the queue: stats miss none
    StubProcess process = returned.relaxedPoll();
    if (process == null) {
      resetting.decrementAndGet();
      Thread.yield(); // who offers it was preempted in the middle, perhaps by this thread
    } else {
      takeBack(process);
    }
    return true;
  }

  /** Takes back one that is counted as resetting. */
  private void takeBack(StubProcess process) {
    boolean stays = false;
    boolean likeNew = false;
    try {
      try {
        process.endDeathWatch();
        boolean alive = process.tracee.death() == null;
        if (alive && (process.tracee.isHeld() || process.hasRuns())) {
          // Copies and runs are under way under the old lease, and none begin any more.
          held.add(process);
          stays = true;
        } else {
          likeNew = alive && renew(process);
        }
      } finally {
        if (!stays) {
          resettingEnds(process, likeNew);
        }
      }
    } catch (Error e) {
      process.tracee.kill(); // it may be half reset; the sweep finds it dead
      throw e;
    }
  }

  /** Allocates nothing for a process that is not like new. */
  private void resettingEnds(StubProcess process, boolean likeNew) {
    moves.incrementAndGet();
    try {
      resetting.decrementAndGet();
      if (likeNew) {
        ready(process);
      }
    } finally {
      moves.incrementAndGet();
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
    AtomicLong count = process.isDiscarded() ? discarded : died;
    count.setRelease(count.getPlain() + 1);
    total.setRelease(total.getPlain() - 1);
    process.retire();
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

  /**
   * Drops dead stubs from among the idle, which would keep the number of idle stubs too high. The
   * others get other handles: one that was in the stack before must not be again.
   */
  void dropDeadFromIdle() {
    Stub living = null;
    Stub below;
    for (Stub stub = idle.popAll(); stub != null; stub = below) {
      below = stub.below;
      if (stub.state() == StubState.IDLE) {
        stub.below = living; // the order is turned round, and again by the pushes
        living = stub;
      }
    }
    for (Stub stub = living; stub != null; stub = below) {
      below = stub.below;
      try {
        idle.push(stub.process().shelve(pool, lost));
      } catch (Error e) {
        for (Stub rest = stub; rest != null; rest = rest.below) {
          rest.process().tracee.kill(); // in no stack any more; the sweep finds them dead
        }
        throw e;
      }
    }
  }

  void close() {
    line.close();
    idle.popAll();
  }
}
