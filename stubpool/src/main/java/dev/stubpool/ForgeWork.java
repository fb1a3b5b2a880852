package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.ProcessCalls;
import dev.stubpool.seccomp.BpfProgram;
import dev.stubpool.trace.Forge;
import dev.stubpool.trace.Injector;
import dev.stubpool.trace.Seams;
import dev.stubpool.trace.Tracee;
import dev.stubpool.trace.Tracer;
import dev.stubpool.trace.TracerThread;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jctools.queues.varhandle.MpmcVarHandleArrayQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a pool's forge tracer does: it serves who waits, keeps idle stubs ready, resets what is
 * given back and buries the dead.
 *
 * <p>Everything here runs on the tracer thread, so that who waits and what is free are decided in
 * one place, but for {@link #acquireSlowly} and {@link #stats}, which callers run. Callers take
 * idle stubs from the queue beside it: while somebody waits here the queue is empty, for what is
 * given back goes to the first in line.
 */
final class ForgeWork implements TracerThread.Work {
  private static final Logger LOG = LoggerFactory.getLogger(ForgeWork.class);

  /**
   * Stubs made in the background at a time: a caller that comes meanwhile waits for no more than
   * these.
   */
  private static final int BACKGROUND_BATCH = 8;

  /** How long the background rests after the kernel refused it a process. */
  private static final long REST_NANOS = Duration.ofSeconds(1).toNanos();

  /** How often the idle tracer looks for stubs that died, if looking costs nothing. */
  private static final long SWEEP_NANOS = Duration.ofMillis(100).toNanos();

  /** Looking costs time in proportion to the number of stubs; this part of the time at most. */
  private static final int SWEEP_SHARE = 500;

  /** How often the tracer looks whether a stub is still in use that was given back. */
  private static final long HELD_NANOS = Duration.ofMillis(1).toNanos();

  private static final String CALLING = "running a call in a stub";

  /** Pools opened so far: they take turns at the CPUs. */
  private static final AtomicInteger POOLS = new AtomicInteger();

  private final StubPoolOptions options;
  private final AddressSpace addressSpace;
  private final byte[] filter;
  private final int filterLength;
  private final MpmcVarHandleArrayQueue<StubProcess> idle;
  private final Seams seams;
  private final StubPool pool;

  private final Map<Integer, StubProcess> processes = new HashMap<>();
  private final Deque<AcquireRequest> line = new ArrayDeque<>();
  private final Deque<StubProcess> held = new ArrayDeque<>();
  private final CompletableFuture<Void> beginning = new CompletableFuture<>();
  private Tracer tracer;
  private Injector injector;
  private Forge forge;
  private long restUntil;
  private long nextSweep;
  private long sweepInterval = SWEEP_NANOS;

  // Read by any thread; written by the tracer alone, but for `waiting`.
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicInteger total = new AtomicInteger();
  private final AtomicInteger resetting = new AtomicInteger();
  private final AtomicInteger forging = new AtomicInteger();
  private final AtomicLong created = new AtomicLong();
  private final AtomicLong died = new AtomicLong();
  private volatile int sourcePid;

  ForgeWork(
      StubPoolOptions options,
      AddressSpace addressSpace,
      BpfProgram filter,
      MpmcVarHandleArrayQueue<StubProcess> idle,
      Seams seams,
      StubPool pool) {
    this.options = options;
    this.addressSpace = addressSpace;
    this.filter = filter.toBytes();
    this.filterLength = filter.length();
    this.idle = idle;
    this.seams = seams;
    this.pool = pool;
  }

  // ---- callers' threads ----

  /** Waits until the tracer thread has made the source; its failure is the caller's. */
  void awaitBeginning() {
    try {
      beginning.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw e;
    }
  }

  Stub acquireSlowly(TracerThread thread, Duration timeout) {
    long start = System.nanoTime();
    long limit = nanos(timeout);
    if (waiting.incrementAndGet() > options.maxWaiters()) {
      waiting.decrementAndGet();
      throw new TooManyWaitersException(
          "pool "
              + options.name()
              + ": "
              + options.maxWaiters()
              + " threads already wait for a stub (maxWaiters); "
              + summary());
    }
    try {
      AcquireRequest request = new AcquireRequest(this);
      thread.offer(request);
      while (!request.isDone()) {
        long left = limit - (System.nanoTime() - start);
        if (Thread.interrupted()) {
          if (request.cancel()) {
            Thread.currentThread().interrupt();
            throw new AcquireInterruptedException(
                "interrupted while waiting for a stub of pool " + options.name());
          }
          Thread.currentThread().interrupt();
          break;
        }
        if (left <= 0) {
          if (request.cancel()) {
            throw new AcquireTimeoutException(
                "pool "
                    + options.name()
                    + ": no stub within "
                    + timeout
                    + "; "
                    + summary()
                    + (total.get() >= options.maxStubs()
                        ? "; all " + options.maxStubs() + " (maxStubs) are in use"
                        : ""));
          }
          break;
        }
        LockSupport.parkNanos(this, left);
      }
      return request.take();
    } finally {
      waiting.decrementAndGet();
    }
  }

  private static long nanos(Duration timeout) {
    try {
      return timeout.toNanos();
    } catch (ArithmeticException e) {
      return Long.MAX_VALUE; // 292 years
    }
  }

  private String summary() {
    StubPoolStats now = stats();
    return "total="
        + now.total()
        + " idle="
        + now.idle()
        + " leased="
        + now.leased()
        + " forging="
        + now.forging()
        + " waiting="
        + now.waiting();
  }

  StubPoolStats stats() {
    int alive = total.get();
    int free = Math.min(idle.size(), alive);
    int returning = resetting.get();
    return new StubPoolStats(
        alive,
        free,
        Math.max(0, alive - free - returning),
        returning,
        forging.get(),
        waiting.get(),
        created.get(),
        died.get(),
        filterLength,
        sourcePid);
  }

  String poolName() {
    return options.name();
  }

  // ---- the tracer thread ----

  void queueUp(AcquireRequest request) {
    line.add(request);
  }

  @Override
  public boolean begin() {
    try {
      tracer = new Tracer(seams.patience(), seams.armParentDeathSignal(), this::buried);
      injector = tracer;
      // After the first tracer has started the watchdog, and before the source is forked.
      bindToOneCpu();
      forge = new Forge(tracer, filter, addressSpace.lowest(), addressSpace.highest(), seams);
      forge.ensureSource();
      publishSource();
      beginning.complete(null);
      return true;
    } catch (RuntimeException | Error e) {
      beginning.completeExceptionally(e); // thrown by open
      return false;
    }
  }

  /** Children inherit the affinity of the thread that the source is forked from. */
  private void bindToOneCpu() {
    if (options.affinity() == Affinity.ONE_CPU) {
      BitSet cpus = ProcessCalls.affinity();
      int turn = Math.floorMod(POOLS.getAndIncrement(), cpus.cardinality());
      int cpu = cpus.stream().skip(turn).findFirst().orElseThrow();
      SystemCallException.check(
          ProcessCalls.bindTo(cpu), "sched_setaffinity", "binding the tracer to CPU " + cpu);
    }
  }

  @Override
  public boolean turn() {
    releaseHeld();
    boolean more = serveLine() || (line.isEmpty() && keepReady());
    if (System.nanoTime() - nextSweep >= 0) {
      sweep();
    }
    return more;
  }

  @Override
  public void failed(RuntimeException e) {
    LOG.error("pool {}: {}", options.name(), e.getMessage(), e);
  }

  /**
   * Gives idle stubs to who waits, and makes new ones, all in one batch, for who is left.
   *
   * @return whether somebody is left who could be served at once
   */
  private boolean serveLine() {
    line.removeIf(AcquireRequest::isCancelled);
    StubProcess process;
    while (!line.isEmpty() && (process = idle.poll()) != null) {
      if (process.tracee.death() == null) {
        ready(process);
      }
    }
    int count = Math.min(Math.min(line.size(), room()), Forge.MOST_AT_ONCE);
    if (count > 0) {
      long before = created.getPlain();
      try {
        forge(count);
      } catch (RuntimeException e) {
        failLine(count - (int) (created.getPlain() - before), e);
      }
    }
    return !line.isEmpty() && room() > 0;
  }

  private int room() {
    return options.maxStubs() - total.getPlain();
  }

  /** Who could not be served is told why; who stands behind them may have better luck. */
  private void failLine(int count, RuntimeException e) {
    for (int i = 0; i < count && !line.isEmpty(); i++) {
      StubPoolException failure =
          e instanceof SystemCallException s ? s.again() : new StubPoolException(e.getMessage(), e);
      line.poll().complete(failure);
    }
  }

  /** One step towards minIdle stubs; whether there is more to do. */
  private boolean keepReady() {
    int missing = Math.min(options.minIdle() - idle.size(), room());
    if (missing <= 0 || System.nanoTime() - restUntil < 0) {
      return false;
    }
    try {
      forge(Math.min(missing, BACKGROUND_BATCH));
      return true;
    } catch (RuntimeException e) {
      LOG.warn(
          "pool {}: cannot keep {} stubs ready: {}",
          options.name(),
          options.minIdle(),
          e.getMessage());
      restUntil = System.nanoTime() + REST_NANOS;
      return false;
    }
  }

  private void forge(int count) {
    forging.set(count);
    try {
      forge.forge(count, this::born);
    } finally {
      forging.set(0);
      publishSource();
    }
  }

  /**
   * For {@link #stats}: who the source is may change whenever the forge was used or the source
   * found dead.
   */
  private void publishSource() {
    Tracee source = forge.source();
    sourcePid = source == null ? 0 : source.pid();
  }

  private void born(Tracee tracee) {
    StubProcess process = new StubProcess(tracee);
    processes.put(tracee.pid(), process);
    total.setRelease(total.getPlain() + 1);
    created.setRelease(created.getPlain() + 1);
    ready(process);
  }

  /** A stub like new goes to who waits first, else to the idle. */
  private void ready(StubProcess process) {
    if (!giveToLine(process)) {
      process.state(StubState.IDLE);
      idle.add(process);
    }
  }

  private boolean giveToLine(StubProcess process) {
    AcquireRequest first;
    while ((first = line.poll()) != null) {
      Stub stub = process.lease(pool);
      if (first.complete(stub)) {
        return true;
      }
      process.endLease(stub);
    }
    return false;
  }

  /** Takes back a process whose lease has ended. */
  void release(StubProcess process) {
    if (process.tracee.death() != null) {
      return;
    }
    process.state(StubState.RESETTING);
    if (process.tracee.isHeld()) {
      held.add(process); // a copy is under way under the old lease, and none begins any more
      return;
    }
    resetting.setRelease(resetting.getPlain() + 1);
    try {
      if (options.onRelease() == OnRelease.DISCARD) {
        tracer.killAndBury(process.tracee);
        return;
      }
      if (process.mapped()) {
        tracer.unmapAround(
            process.tracee, addressSpace.lowest(), addressSpace.highest(), "recycling a stub");
        process.mapped(false);
      }
      ready(process);
    } catch (StubDiedException e) {
      LOG.debug("pool {}: {}", options.name(), e.getMessage());
    } catch (StubPoolException e) {
      LOG.warn("pool {}: a stub could not be recycled and is killed", options.name(), e);
      tracer.killAndBury(process.tracee);
    } finally {
      resetting.setRelease(resetting.getPlain() - 1);
    }
  }

  /** Takes back what was still in use when its lease ended. */
  private void releaseHeld() {
    for (int left = held.size(); left > 0; left--) {
      release(held.remove());
    }
  }

  /** Waits for the end of a process that was killed. */
  void bury(StubProcess process) {
    tracer.bury(process.tracee);
  }

  /**
   * Told by the tracer of every process that it buried: stubs, sources, newborns that nobody got.
   */
  private void buried(Tracee tracee) {
    if (processes.remove(tracee.pid()) != null) {
      total.setRelease(total.getPlain() - 1);
      died.setRelease(died.getPlain() + 1);
    }
  }

  long inject(StubProcess process, int number, long a, long b, long c, long d, long e, long f) {
    if (process.tracee.death() != null) {
      throw new StubDiedException(process.tracee.pid(), process.tracee.death(), CALLING);
    }
    if (number == Abi.SYS_mmap) {
      process.mapped(true);
    }
    return injector.inject(process.tracee, number, a, b, c, d, e, f, CALLING);
  }

  /** Finds stubs that died while nobody used them. */
  private void sweep() {
    long start = System.nanoTime();
    boolean idleDied = false;
    int pid;
    boolean done = true;
    while (done && (pid = tracer.findDead()) != 0) {
      StubProcess process = processes.get(pid);
      if (process != null) {
        LOG.debug("pool {}: stub {} died while {}", options.name(), pid, process.state());
        idleDied |= process.state() == StubState.IDLE;
        tracer.killAndBury(process.tracee); // dead already, or stopped where it cannot go on from
      } else if (pid == sourcePid) {
        LOG.warn(
            "pool {}: the source stub {} died; making another when needed", options.name(), pid);
        tracer.killAndBury(forge.source());
        publishSource();
      } else {
        done = tracer.buryStranger(pid);
      }
    }
    if (idleDied) {
      dropDeadFromIdle();
    }
    long now = System.nanoTime();
    sweepInterval = Math.max(SWEEP_NANOS, (now - start) * SWEEP_SHARE);
    nextSweep = now + sweepInterval;
  }

  /**
   * Takes each idle stub out and puts the living back; who comes meanwhile is served by this thread
   * afterwards.
   */
  private void dropDeadFromIdle() {
    for (int left = idle.size(); left > 0; left--) {
      StubProcess process = idle.poll();
      if (process == null) {
        return;
      }
      if (process.tracee.death() == null) {
        idle.add(process);
      }
    }
  }

  @Override
  public long patienceNanos() {
    return held.isEmpty() ? Math.max(1, nextSweep - System.nanoTime()) : HELD_NANOS;
  }

  @Override
  public void end() {
    for (AcquireRequest request : line) {
      request.complete(new StubPoolClosedException(options.name()));
    }
    line.clear();
    if (tracer == null) {
      return;
    }
    List<StubProcess> all = new ArrayList<>(processes.values());
    for (StubProcess process : all) {
      process.tracee.kill(); // all first: they die side by side
    }
    for (StubProcess process : all) {
      try {
        tracer.bury(process.tracee);
      } catch (StubPoolException e) {
        LOG.error("pool {}: {}", options.name(), e.getMessage());
      }
    }
    idle.clear();
    if (forge != null) {
      try {
        forge.close();
      } catch (StubPoolException e) {
        LOG.error("pool {}: {}", options.name(), e.getMessage());
      }
    }
    tracer.close();
  }
}
