package dev.stubpool;

import dev.stubpool.lease.LeaseTable;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.trace.CpuBinding;
import dev.stubpool.trace.Forge;
import dev.stubpool.trace.Injector;
import dev.stubpool.trace.Seams;
import dev.stubpool.trace.StubSpec;
import dev.stubpool.trace.Tracee;
import dev.stubpool.trace.Tracer;
import dev.stubpool.trace.TracerThread;
import java.lang.invoke.MethodHandles;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a pool's forge tracer does: it has the source, carries out what {@link StubSupply} decides,
 * runs the calls of callers, and buries the dead. All on the tracer thread, but for {@link
 * #awaitBeginning}, {@link #sourcePid} and {@link #unreaped}.
 */
final class ForgeWork implements TracerThread.Work, StubFactory {
  private static final Logger LOG = LoggerFactory.getLogger(ForgeWork.class);

  /**
   * How often the tracer looks for stubs that died while some are leased, if that costs nothing.
   */
  private static final long SWEEP_NANOS = Duration.ofMillis(100).toNanos();

  /**
   * How often it looks while none is leased. It is also how late it may notice that a lease began,
   * which tells it nothing, and how old the lease table's clock may be.
   */
  private static final long IDLE_SWEEP_NANOS = Duration.ofSeconds(1).toNanos();

  /** Looking costs time in proportion to the number of stubs; this part of the time at most. */
  private static final int SWEEP_SHARE = 500;

  /** But that is a guess, which a busy machine may spoil, and a death must be noticed. */
  private static final long MOST_SWEEP_NANOS = Duration.ofSeconds(1).toNanos();

  /**
   * How soon the tracer looks again whether the memory of a stub that was given back is still being
   * copied. Each look in vain doubles the time: a copy takes a moment, or waits for a file.
   */
  private static final long HELD_NANOS = Duration.ofMillis(1).toNanos();

  private static final long MOST_HELD_NANOS = Duration.ofMillis(128).toNanos();

  private static final String CALLING = "running a call in a stub";

  /** Pools opened so far: they take turns at the CPUs. */
  private static final AtomicInteger POOLS = new AtomicInteger();

  private final StubPoolOptions options;
  private final StubSpec spec;
  private final Seams seams;
  private final LeaseTable table;
  private final CompletableFuture<Void> beginning = new CompletableFuture<>();

  /** Set before the thread starts: each of the two knows the other. */
  private StubSupply supply;

  private Tracer tracer;
  private Throwable beginningFailure;
  private Injector injector;
  private Forge forge;
  private long lastSweep;
  private long sweepInterval = SWEEP_NANOS;
  private long heldInterval = HELD_NANOS;
  private volatile int sourcePid;
  private volatile int unreaped;

  ForgeWork(StubPoolOptions options, StubSpec spec, Seams seams, LeaseTable table) {
    this.options = options;
    this.spec = spec;
    this.seams = seams;
    this.table = table;
  }

  void serve(StubSupply value) {
    supply = value;
  }

  // ---- callers' threads ----

  /** Waits until the tracer thread has made the source; its failure is the caller's. */
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

  /** How many processes are out of the pool's counts and not reaped. */
  int unreaped() {
    return unreaped;
  }

  // ---- the tracer thread ----

  @Override
  public boolean begin() {
    try {
      initialize();
      tracer = new Tracer(seams.patience(), seams.armParentDeathSignal(), this::buried);
      injector = tracer;
      // After the first tracer has started the watchdog, and before the source is forked, for
      // children inherit it.
      if (options.affinity() == Affinity.ONE_CPU) {
        CpuBinding.bind(POOLS.getAndIncrement());
      }
      if (options.onStubDeath() == OnStubDeath.KILL_JVM) {
        rehearse();
      }
      forge = new Forge(tracer, spec, seams);
      forge.ensureSource();
      publish();
      beginning.complete(null);
      return true;
    } catch (RuntimeException | Error e) {
      beginningFailure = e; // thrown by open, once all is cleaned up
      return false;
    }
  }

  /**
   * A class whose initialization fails for want of memory can never be used again. So those that
   * are needed to give stubs back and to bury them are initialized while there is some.
   */
  private static void initialize() {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      lookup.ensureInitialized(CpuBinding.class);
      lookup.ensureInitialized(Guest.class);
      lookup.ensureInitialized(CopyBuffers.class);
      lookup.ensureInitialized(StubProcess.class);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e); // all are of this module
    }
  }

  /**
   * Makes a source whose death is harmless, once: a birth that fails here is an exception, and
   * under KILL_JVM it would be the JVM's end.
   */
  private void rehearse() {
    StubSpec harmless = new StubSpec(spec.filter(), spec.lowest(), spec.highest(), Abi.SIGCHLD);
    try (Forge rehearsal = new Forge(tracer, harmless, seams)) {
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
    if (!supply.hasHeld()) {
      heldInterval = HELD_NANOS;
      return untilSweep;
    }
    long untilLook = heldInterval;
    heldInterval = Math.min(2 * heldInterval, MOST_HELD_NANOS);
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

  /** Who the source is may change whenever the forge was used or the source found dead. */
  private void publish() {
    Tracee source = forge.source();
    sourcePid = source == null ? 0 : source.pid();
    int now = tracer.lingering();
    if (now != unreaped) { // a volatile write is a fence, and most turns change nothing
      unreaped = now;
    }
    table.publish(sourcePid, supply.created(), supply.died());
  }

  // ---- what the supply asks for ----

  @Override
  public void forge(int count, Consumer<Tracee> born) {
    try {
      forge.forge(count, born);
    } finally {
      publish();
    }
  }

  @Override
  public Tracee copy(Tracee stub) {
    return forge.copy(stub);
  }

  @Override
  public String recycle(Tracee stub) {
    return forge.recycle(stub);
  }

  @Override
  public void kill(Tracee stub) {
    stub.kill();
  }

  @Override
  public void discard(Tracee stub) {
    tracer.killAndBury(stub);
  }

  // ---- what callers ask for ----

  long inject(StubProcess process, int number, long a, long b, long c, long d, long e, long f) {
    checkAlive(process, CALLING);
    return injector.inject(process.tracee, number, a, b, c, d, e, f, CALLING);
  }

  Tracee makeThread(Stub stub) {
    return supply.makingRoom(
        () -> {
          stub.checkUsable(); // to make room may have taken it back
          checkAlive(stub.process(), "making a guest thread");
          return forge.makeThread(stub.process().tracee);
        });
  }

  /** Makes room in the kernel for a process or a thread; whether there was a stub to discard. */
  boolean evict() {
    return supply.evict();
  }

  Stub spawn(Stub parent) {
    checkAlive(parent.process(), "copying it");
    return supply.spawn(parent);
  }

  private static void checkAlive(StubProcess process, String step) {
    if (process.tracee.death() != null) {
      throw new StubDiedException(process.tracee.pid(), process.tracee.death(), step);
    }
  }

  /** Waits for the end of a process that was killed. */
  void bury(StubProcess process) {
    tracer.bury(process.tracee);
  }

  /** Told by the tracer of every process that it buried. */
  private void buried(Tracee tracee) {
    supply.ended(tracee);
  }

  /** Finds stubs that died while nobody used them. */
  private void sweep() {
    boolean idleDied = false;
    long began = System.nanoTime();
    tracer.finishBurials();
    tracer.reapGuests();
    long before = System.nanoTime() - began;
    long lookBegan = System.nanoTime();
    int pid;
    while ((pid = tracer.findDead()) != 0) {
      StubProcess process = supply.find(pid);
      Tracee source = forge.source();
      if (process != null) {
        idleDied |= buryStub(process);
      } else if (source != null && source.pid() == pid) {
        burySource(source);
      } else if (!tracer.buryStranger(pid)) {
        // A dead one that somebody holds: it would be found again and again, and the others not.
        idleDied |= sweepOneByOne();
        break;
      }
      lookBegan = System.nanoTime();
    }
    if (idleDied) {
      supply.dropStale();
    }
    lastSweep = System.nanoTime();
    sweepInterval =
        Math.clamp((before + lastSweep - lookBegan) * SWEEP_SHARE, SWEEP_NANOS, MOST_SWEEP_NANOS);
  }

  /** Whether an idle stub was among the dead. */
  private boolean sweepOneByOne() {
    boolean idleDied = false;
    for (StubProcess process : List.copyOf(supply.all())) {
      if (tracer.isDead(process.tracee.pid())) {
        idleDied |= buryStub(process);
      }
    }
    Tracee source = forge.source();
    if (source != null && tracer.isDead(source.pid())) {
      burySource(source);
    }
    return idleDied;
  }

  /** Buries a stub that is dead, or stopped where it cannot go on from; whether it was idle. */
  private boolean buryStub(StubProcess process) {
    StubState state = process.state();
    LOG.debug("pool {}: stub {} died while {}", options.name(), process.tracee.pid(), state);
    tracer.killAndBury(process.tracee);
    return state == StubState.IDLE;
  }

  private void burySource(Tracee source) {
    LOG.warn(
        "pool {}: the source stub {} died; making another when needed",
        options.name(),
        source.pid());
    tracer.killAndBury(source);
  }

  @Override
  public void end() {
    supply.close();
    if (tracer != null) {
      endProcesses();
      tracer.close();
      tracer = null;
    }
    if (beginningFailure != null) {
      beginning.completeExceptionally(beginningFailure);
    }
  }

  private void endProcesses() {
    List<StubProcess> all = new ArrayList<>(supply.all());
    if (options.onStubDeath() == OnStubDeath.KILL_JVM && forge != null) {
      LOG.warn("pool {}: closing it ends the JVM (KILL_JVM)", options.name());
    }
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
    if (forge != null) {
      try {
        forge.close();
      } catch (StubPoolException e) {
        LOG.error("pool {}: {}", options.name(), e.getMessage());
      }
      forge = null;
    }
    tracer.buryRest();
  }
}
