package dev.stubpool.pool;

import dev.stubpool.Affinity;
import dev.stubpool.Guest;
import dev.stubpool.OnStubDeath;
import dev.stubpool.StubPoolException;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.StubState;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.forge.Forge;
import dev.stubpool.forge.StubFactory;
import dev.stubpool.forge.StubSpec;
import dev.stubpool.lease.LeaseTable;
import dev.stubpool.memory.CopyBuffers;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.thread.CpuBinding;
import dev.stubpool.thread.SpinThenPark;
import dev.stubpool.thread.TracerThread;
import java.lang.invoke.MethodHandles;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The work of a pool's forge tracer thread: it owns the source stub, performs what {@link Supply}
 * decides, makes the system calls that callers request, and reaps stubs that died. All methods run
 * on that thread, except {@link #awaitBeginning}, {@link #sourcePid} and {@link #unreaped}.
 */
final class ForgeTracer implements TracerThread.Work {
  private static final Logger LOG = LoggerFactory.getLogger(ForgeTracer.class);

  /** The interval between searches for dead stubs while stubs are leased, if searches are cheap. */
  private static final long SWEEP_NANOS = Duration.ofMillis(100).toNanos();

  /**
   * The interval while no stub is leased. Since leasing does not wake the tracer, this is also how
   * long it may go on after a lease began, and how old the lease table's clock may be.
   */
  private static final long IDLE_SWEEP_NANOS = Duration.ofSeconds(1).toNanos();

  /**
   * The inverse of the share of time that searches may take, which is proportional to the number of
   * stubs: the interval is at least this many times the duration of the last search.
   */
  private static final int SWEEP_SHARE = 500;

  /** The longest interval, however long the last search took on a busy machine. */
  private static final long LONGEST_SWEEP_INTERVAL_NANOS = Duration.ofSeconds(1).toNanos();

  /**
   * The first interval between polls of whether the memory of a stub whose lease has ended is still
   * being copied. Each poll doubles it: most copies end at once, others wait for a file.
   */
  private static final long COPY_POLL_NANOS = Duration.ofMillis(1).toNanos();

  private static final long LONGEST_COPY_POLL_NANOS = Duration.ofMillis(128).toNanos();

  private static final String CALLING = "running a call in a stub";

  /** The number of pools opened so far, so that each is bound to the next CPU. */
  private static final AtomicInteger POOLS = new AtomicInteger();

  private final StubPoolOptions options;
  private final StubSpec spec;
  private final LeaseTable table;
  private final Forge forge;
  private final CompletableFuture<Void> beginning = new CompletableFuture<>();

  /** Set before the thread starts. */
  @SuppressWarnings("NullAway.Init")
  private Supply supply;

  @SuppressWarnings("NullAway.Init") // set by begin, before all other work
  private StopRunner tracer;

  /** Whether the tracer was made and is not closed: begin may fail, and end may be called again. */
  private boolean tracing;

  private @Nullable Throwable beginningFailure;
  private long lastSweep;
  private long sweepInterval = SWEEP_NANOS;
  private long pollInterval = COPY_POLL_NANOS;
  private volatile int sourcePid;

  ForgeTracer(StubPoolOptions options, StubSpec spec, LeaseTable table) {
    this.options = options;
    this.spec = spec;
    this.table = table;
    this.forge = new Forge(spec, this::publish);
  }

  /** The operations that make and reset stubs. To be called only on this tracer thread. */
  StubFactory factory() {
    return forge;
  }

  void setSupply(Supply value) {
    supply = value;
  }

  // ---- callers' threads ----

  /** Waits until the tracer thread has made the source; throws what made that fail. */
  void awaitBeginning() {
    try {
      beginning.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw e.getCause() instanceof RuntimeException failure ? failure : e;
    }
  }

  int sourcePid() {
    return sourcePid;
  }

  /** How many processes were killed, are no longer counted as stubs, and are not reaped. */
  int unreaped() {
    return tracer.reaper().unreaped();
  }

  // ---- the tracer thread ----

  @Override
  public boolean begin() {
    try {
      initialize();
      tracer =
          new StopRunner(
              spec.hooks().patience(), spec.hooks().armParentDeathSignal(), this::settled);
      tracing = true;
      // After the first tracer has started the watchdog thread, which must not inherit the binding,
      // and before the source is forked, which must.
      if (options.affinity() == Affinity.ONE_CPU) {
        CpuBinding.bind(POOLS.getAndIncrement());
      }
      if (options.onStubDeath() == OnStubDeath.KILL_JVM) {
        rehearse();
      }
      forge.begin(tracer);
      forge.ensureSource();
      publish();
      beginning.complete(null);
      return true;
    } catch (RuntimeException | Error e) {
      beginningFailure = e; // thrown by awaitBeginning, after end has cleaned up
      return false;
    }
  }

  /**
   * Initializes the classes that are needed to take stubs back and to reap them. A class whose
   * initialization fails with an OutOfMemoryError can never be used again, so this is done while
   * there is heap.
   */
  private static void initialize() {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      lookup.ensureInitialized(CpuBinding.class);
      lookup.ensureInitialized(SpinThenPark.class);
      lookup.ensureInitialized(Guest.class);
      lookup.ensureInitialized(CopyBuffers.class);
      lookup.ensureInitialized(StubProcess.class);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e); // impossible: the classes are of this module
    }
  }

  /**
   * Makes and ends a source whose death does not kill the JVM. If this machine cannot make sources,
   * that fails here with an exception; under KILL_JVM the failure of a source ends the JVM.
   */
  private void rehearse() {
    try (Forge rehearsal = new Forge(spec.withExitSignal(Abi.SIGCHLD), () -> {})) {
      rehearsal.begin(tracer);
      rehearsal.ensureSource();
    }
  }

  @Override
  public boolean turn() {
    long now = System.nanoTime();
    table.tick(now);
    boolean more = supply.turn();
    if (now - nextSweep() >= 0) {
      sweep();
    }
    publish();
    return more;
  }

  @Override
  public boolean isIdle() {
    return !supply.hasReturned();
  }

  @Override
  public long patienceNanos() {
    long untilSweep = Math.max(1, nextSweep() - System.nanoTime());
    if (!supply.awaitsCopies()) {
      pollInterval = COPY_POLL_NANOS;
      return untilSweep;
    }
    long untilLook = pollInterval;
    pollInterval = Math.min(2 * pollInterval, LONGEST_COPY_POLL_NANOS);
    return Math.min(untilLook, untilSweep);
  }

  private long nextSweep() {
    long interval = supply.hasLeased() ? sweepInterval : Math.max(sweepInterval, IDLE_SWEEP_NANOS);
    return lastSweep + interval;
  }

  @Override
  public void failed(Throwable e) {
    LOG.error("pool {}: {}", options.name(), e.getMessage(), e);
  }

  /**
   * Publishes the source's pid. Called when the source may have changed: after the forge was used,
   * and after each turn.
   */
  private void publish() {
    Tracee source = forge.source();
    int pid = source == null ? 0 : source.pid();
    // A volatile write is a fence, and most turns change nothing.
    if (pid != sourcePid) {
      sourcePid = pid;
    }
    table.publish(pid, supply.created(), supply.died());
  }

  // ---- requests of callers ----

  long inject(Tracee stub, int number, long a, long b, long c, long d, long e, long f) {
    checkAlive(stub, CALLING);
    return tracer.inject(stub, number, a, b, c, d, e, f, CALLING);
  }

  Tracee makeThread(Lease lease) {
    return supply.withEviction(
        () -> {
          lease.checkUsable(); // making room may have reset the stub, if its lease was closed
          checkAlive(lease.tracee(), "making a guest thread");
          return forge.makeThread(lease.tracee());
        });
  }

  /**
   * Discards stubs so that the kernel has room for a process or thread; returns whether it could.
   */
  boolean evict() {
    return supply.evict();
  }

  Lease spawn(Lease parent) {
    checkAlive(parent.tracee(), "copying it");
    return supply.spawn(parent);
  }

  private static void checkAlive(Tracee stub, String step) {
    if (stub.death() != null) {
      throw Failures.make().died(stub.pid(), stub.describeDeath(), step);
    }
  }

  /** Waits for the end of a process that was killed, and reaps it. */
  void reap(Tracee stub) {
    tracer.reaper().reap(stub);
  }

  /** Called by the tracer for every process that it reaped. */
  private void settled(Tracee tracee) {
    supply.ended(tracee);
  }

  /** Finds and reaps stubs that died while no call was made in them. */
  private void sweep() {
    boolean idleDied = false;
    long began = System.nanoTime();
    tracer.reaper().retry();
    tracer.reaper().reapGuests();
    long before = System.nanoTime() - began;
    long lookBegan = System.nanoTime();
    int pid;
    while ((pid = tracer.reaper().findDead()) != 0) {
      StubProcess process = supply.find(pid);
      Tracee source = forge.source();
      if (process != null) {
        idleDied |= reapStub(process);
      } else if (source != null && source.pid() == pid) {
        reapSource(source);
      } else if (!tracer.reaper().reapStranger(pid)) {
        // A dead process whose pid is held by a copy under way cannot be reaped now, and findDead
        // would return it again instead of the others.
        idleDied |= sweepOneByOne();
        break;
      }
      lookBegan = System.nanoTime();
    }
    if (idleDied) {
      supply.unlinkStale();
    }
    lastSweep = System.nanoTime();
    sweepInterval =
        Math.clamp(
            (before + lastSweep - lookBegan) * SWEEP_SHARE,
            SWEEP_NANOS,
            LONGEST_SWEEP_INTERVAL_NANOS);
  }

  /** Checks each stub and the source; returns whether a stub died while it was idle. */
  private boolean sweepOneByOne() {
    boolean idleDied = false;
    for (StubProcess process : List.copyOf(supply.all())) {
      if (tracer.reaper().isDead(process.tracee.pid())) {
        idleDied |= reapStub(process);
      }
    }
    Tracee source = forge.source();
    if (source != null && tracer.reaper().isDead(source.pid())) {
      reapSource(source);
    }
    return idleDied;
  }

  /**
   * Kills and reaps a stub that is dead, or stopped where it cannot go on; returns whether it was
   * idle.
   */
  private boolean reapStub(StubProcess process) {
    StubState state = process.state();
    LOG.debug("pool {}: stub {} died while {}", options.name(), process.tracee.pid(), state);
    tracer.reaper().killAndReap(process.tracee);
    return state == StubState.IDLE;
  }

  private void reapSource(Tracee source) {
    LOG.warn(
        "pool {}: the source stub {} died; making another when needed",
        options.name(),
        source.pid());
    tracer.reaper().killAndReap(source);
  }

  @Override
  public void end() {
    supply.close();
    if (tracing) {
      endProcesses();
      tracer.close();
      tracing = false;
    }
    if (beginningFailure != null) {
      beginning.completeExceptionally(beginningFailure);
    }
  }

  private void endProcesses() {
    List<StubProcess> all = new ArrayList<>(supply.all());
    if (options.onStubDeath() == OnStubDeath.KILL_JVM && forge.source() != null) {
      LOG.warn("pool {}: closing it ends the JVM (KILL_JVM)", options.name());
    }
    for (StubProcess process : all) {
      process.tracee.kill(); // kill all before waiting: they die in parallel
    }
    for (StubProcess process : all) {
      try {
        tracer.reaper().reap(process.tracee);
      } catch (StubPoolException e) {
        LOG.error("pool {}: {}", options.name(), e.getMessage());
      }
    }
    try {
      forge.close();
    } catch (StubPoolException e) {
      LOG.error("pool {}: {}", options.name(), e.getMessage());
    }
    tracer.reaper().reapRest();
  }
}
