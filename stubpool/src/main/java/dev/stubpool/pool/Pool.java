package dev.stubpool.pool;

import dev.stubpool.AddressSpace;
import dev.stubpool.HostFile;
import dev.stubpool.MemoryFile;
import dev.stubpool.OnStubDeath;
import dev.stubpool.StubDiedException;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolClosedException;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.StubPoolStats;
import dev.stubpool.StubUnresponsiveException;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.diagnose.Machine;
import dev.stubpool.filter.StubFilter;
import dev.stubpool.forge.StubSpec;
import dev.stubpool.forge.TestHooks;
import dev.stubpool.guest.GuestTracers;
import dev.stubpool.lease.LeaseFile;
import dev.stubpool.memory.MappableWindow;
import dev.stubpool.memory.Memfd;
import dev.stubpool.memory.OpenHostFile;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.MissingFunctionException;
import dev.stubpool.nativestubs.calls.NativeCallException;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.thread.Request;
import dev.stubpool.thread.TracerThread;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The implementation of {@link StubPool}: opens and closes the parts of a pool, and passes calls on
 * to them.
 *
 * <p>Idle stubs are in a lock-free stack, from which {@link #acquire()} takes one without a system
 * call. Stubs whose lease has ended are in a queue until the forge tracer has reset them. Every
 * operation on a stub's process is a request in the forge tracer's queue, for which the caller
 * waits. A caller that finds no idle stub waits in line; its request makes the tracer forge a stub.
 */
public final class Pool implements StubPool {
  private static final Logger LOG = LoggerFactory.getLogger(Pool.class);

  /**
   * How many deadlines of a stub a caller waits for the tracer to begin its request: other requests
   * may be before it in the queue, each of which may take until its own deadline.
   */
  private static final int CALLER_PATIENCE_FACTOR = 10;

  /** How long {@link #close} waits for guest programs to end after their guests are dead. */
  private static final Duration GUEST_END_TIMEOUT = Duration.ofSeconds(1);

  private final StubPoolOptions options;
  private final AddressSpace addressSpace;
  private final MappableWindow window;
  private final BpfProgram filter;
  private final Duration callerPatience;
  private final LeaseFile leases;
  private final Supply supply;
  private final ForgeTracer work;
  private final TracerThread tracer;
  private final GuestTracers guestTracers;
  private final AtomicBoolean closed = new AtomicBoolean();

  private Pool(StubPoolOptions options, TestHooks hooks, MappableWindow window) {
    this.options = options;
    this.window = window;
    StubImage image = StubImage.get();
    long lowest = Machine.lowestAddress();
    this.addressSpace =
        new AddressSpace(
            lowest, Machine.highestAddress(), image.base(), image.end() + Abi.STUB_FRAME_SIZE);
    this.filter = StubFilter.program(image, window, addressSpace, options.policy());
    this.callerPatience = hooks.patience().multipliedBy(CALLER_PATIENCE_FACTOR);
    int exitSignal = options.onStubDeath() == OnStubDeath.KILL_JVM ? Abi.SIGKILL : Abi.SIGCHLD;
    StubSpec spec = new StubSpec(filter, lowest, addressSpace.highest(), exitSignal, hooks);
    this.leases = LeaseFile.create(options, filter.length());
    this.work = new ForgeTracer(options, spec, leases.table());
    this.tracer = new TracerThread("stubpool-forge-" + options.name(), work);
    this.supply =
        new Supply(
            options,
            this,
            leases.table(),
            work.factory(),
            System::nanoTime,
            new AcquireLine(options, this::stats, tracer::offer),
            tracer::wake);
    work.setSupply(supply);
    this.guestTracers = new GuestTracers(options, hooks);
  }

  /** See {@link StubPool#open}. */
  public static Pool open(StubPoolOptions options) {
    return open(options, TestHooks.NONE);
  }

  /** See {@link StubPool#open}; {@code hooks} let tests switch off or shorten mechanisms. */
  public static Pool open(StubPoolOptions options, TestHooks hooks) {
    Machine.check(options);
    try {
      StubImage.get(); // first: all other native calls go through its code
      MappableWindow window = MappableWindow.open();
      try {
        Pool pool = new Pool(options, hooks, window);
        try {
          pool.tracer.start();
          pool.work.awaitBeginning();
        } catch (RuntimeException | Error e) {
          pool.leases.close();
          throw e;
        }
        return pool;
      } catch (RuntimeException | Error e) {
        window.close();
        throw e;
      }
    } catch (NativeCallException e) {
      throw Failures.make().systemCall(e.call(), e.errno(), e.step());
    } catch (IllegalCallerException | MissingFunctionException e) {
      throw Failures.make().unsupported(Failures.message(e), e.getCause());
    }
  }

  @Override
  public Lease acquire() {
    return acquire(options.acquireTimeout());
  }

  @Override
  public Lease acquire(Duration timeout) {
    Objects.requireNonNull(timeout, "timeout");
    Lease stub = tryAcquire();
    return stub != null ? stub : withLeakTrace(supply.await(timeout));
  }

  @Override
  public @Nullable Lease tryAcquire() {
    checkOpen();
    Lease stub = supply.poll();
    return stub == null ? null : withLeakTrace(stub);
  }

  /** Records where a lease was acquired, if the options say so (leakTraces). */
  Lease withLeakTrace(Lease stub) {
    if (options.leakTraces()) {
      stub.process().guard().acquiredHere();
    }
    return stub;
  }

  @Override
  public MemoryFile memoryFile(long size) {
    checkOpen();
    return Memfd.create(size);
  }

  @Override
  public HostFile mappable(Path path, OpenOption... options) {
    checkOpen();
    return OpenHostFile.open(path, options);
  }

  @Override
  public AddressSpace addressSpace() {
    return addressSpace;
  }

  @Override
  public BpfProgram filter() {
    return filter;
  }

  @Override
  public String name() {
    return options.name();
  }

  @Override
  public int sourcePid() {
    return work.sourcePid();
  }

  @Override
  public StubPoolStats stats() {
    return supply.stats(work::unreaped);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      tracer.stop();
      leases.close();
    }
    Duration atMost = callerPatience.plus(Duration.ofMillis(options.maxStubs()));
    if (!tracer.awaitEnd(atMost)) {
      throw Failures.make()
          .unresponsive(
              "pool "
                  + name()
                  + " did not close within "
                  + atMost
                  + ": its tracer thread is still running; take a thread dump to see where");
    }
    if (!guestTracers.close(GUEST_END_TIMEOUT)) {
      LOG.warn(
          "pool {}: closed, but some guest programs are still running; their guests are dead",
          name());
    }
    window.close();
  }

  @Override
  public String toString() {
    return "StubPool[" + name() + ", " + stats() + "]";
  }

  @Override
  public boolean isClosed() {
    return closed.get();
  }

  void checkOpen() {
    if (isClosed()) {
      throw Failures.make().poolClosed(name());
    }
    if (tracer.hasEnded()) {
      throw Failures.make()
          .other(
              "pool "
                  + name()
                  + " cannot be used: its tracer thread has ended, see the log; open another pool");
    }
  }

  /** The descriptor numbers that the pool's stubs may map. */
  public MappableWindow window() {
    return window;
  }

  ForgeTracer forgeTracer() {
    return work;
  }

  GuestTracers guestTracers() {
    return guestTracers;
  }

  Duration callerPatience() {
    return callerPatience;
  }

  void logIfKillingEndsTheJvm(int pid) {
    if (options.onStubDeath() == OnStubDeath.KILL_JVM) {
      LOG.warn("pool {}: killing stub {} ends the JVM (KILL_JVM)", name(), pid);
    }
  }

  /** Makes the forge tracer reap a stub that was killed; does not wait for it. */
  void reapInBackground(Tracee stub) {
    tracer.offer(() -> work.reap(stub));
  }

  /** Throws {@link StubPoolClosedException} if the pool is closed. */
  void checkNotClosed(Throwable suppressed) {
    if (isClosed()) {
      StubPoolClosedException failure = Failures.make().poolClosed(name());
      failure.addSuppressed(suppressed);
      throw failure;
    }
  }

  /** Like {@link #submitAndWait}, for a task that returns an object. */
  <T> T submitForResult(Supplier<T> task) {
    AtomicReference<T> result = new AtomicReference<>();
    submitAndWait(
        () -> {
          result.set(task.get());
          return 0;
        });
    return Objects.requireNonNull(result.get(), "the task was performed");
  }

  /**
   * Makes the forge tracer perform a task, and waits for it.
   *
   * @return the task's result
   * @throws StubUnresponsiveException if the tracer did not begin it in time; nothing was done
   */
  long submitAndWait(LongSupplier task) {
    Request request =
        new Request() {
          @Override
          protected long perform() {
            return task.getAsLong();
          }
        };
    try {
      return request.submitAndWait(tracer, callerPatience);
    } catch (StubUnresponsiveException | StubDiedException e) {
      checkNotClosed(e);
      throw e;
    }
  }

  /** The forge tracer's thread, for benchmarks and tests. */
  public TracerThread tracerThread() {
    return tracer;
  }
}
