package dev.stubpool;

import dev.stubpool.filter.MappableWindow;
import dev.stubpool.filter.StubFilter;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.NativeCallException;
import dev.stubpool.nativestubs.StubImage;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.trace.GuestThread;
import dev.stubpool.trace.Request;
import dev.stubpool.trace.Seams;
import dev.stubpool.trace.StubSpec;
import dev.stubpool.trace.ThreadAdvice;
import dev.stubpool.trace.Tracee;
import dev.stubpool.trace.TracerThread;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A pool of stubs: processes that do nothing but what their holder has them do.
 *
 * <p>In a nutshell, it works as follows. One platform thread, the <em>forge tracer</em>, forks a
 * <em>source stub</em> from the JVM and traces it; all other stubs are cloned from that. Idle stubs
 * wait in a lock-free stack, from which {@link #acquire()} takes one without a system call; those
 * given back wait in a queue, until the tracer has made them like new. Whatever needs a process to
 * run, such as a system call in a stub, is a task in the tracer's queue, and the caller parks until
 * it is done. So does a caller that finds no idle stub: its request makes the tracer forge one, or
 * waits there in line for the next that is given back.
 *
 * <p>All stubs die with the JVM, however it ends. A stub that dies takes nobody with it, unless
 * {@link OnStubDeath#KILL_JVM} is asked for. All methods may be called from any thread, virtual
 * ones too.
 */
public final class StubPool implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StubPool.class);

  /**
   * A tracer serves a queue: what a caller waits for may stand behind others, each with its own
   * deadline.
   */
  private static final int PATIENCES_OF_A_CALLER = 10;

  /** How long close waits for programs to notice that their guests are dead. */
  private static final Duration GUESTS_END = Duration.ofSeconds(1);

  private final StubPoolOptions options;
  private final AddressSpace addressSpace;
  private final BpfProgram filter;
  private final Duration callerPatience;
  private final LeaseFile leases;
  private final StubSupply supply;
  private final ForgeWork work;
  private final TracerThread tracer;
  private final GuestTracers guestTracers;
  private final AtomicBoolean closed = new AtomicBoolean();

  private StubPool(StubPoolOptions options, Seams seams) {
    this.options = options;
    StubImage image = StubImage.get();
    long lowest = Machine.lowestAddress();
    this.addressSpace =
        new AddressSpace(
            lowest, Machine.highestAddress(), image.base(), image.end() + Abi.STUB_FRAME_SIZE);
    this.filter = StubFilter.program(image, MappableWindow.get(), lowest);
    this.callerPatience = seams.patience().multipliedBy(PATIENCES_OF_A_CALLER);
    int exitSignal = options.onStubDeath() == OnStubDeath.KILL_JVM ? Abi.SIGKILL : Abi.SIGCHLD;
    StubSpec spec = new StubSpec(filter, lowest, addressSpace.highest(), exitSignal);
    this.leases = LeaseFile.create(options, filter.length());
    this.work = new ForgeWork(options, spec, seams, leases.table());
    this.tracer = new TracerThread("stubpool-forge-" + options.name(), work);
    this.supply =
        new StubSupply(
            options,
            this,
            leases.table(),
            work,
            System::nanoTime,
            new AcquireLine(options, this::stats, tracer::offer),
            tracer::wake);
    work.serve(supply);
    this.guestTracers = new GuestTracers(options, seams);
  }

  /**
   * Opens a pool: forks the source stub, and returns when it is ready. Idle stubs are made in the
   * background.
   *
   * @throws UnsupportedMachineException if kernel, JVM or limits do not allow stubs; the message
   *     says what to change
   * @throws SystemCallException if the kernel refused a step; no process is left
   */
  public static StubPool open(StubPoolOptions options) {
    return open(options, Seams.NONE);
  }

  static StubPool open(StubPoolOptions options, Seams seams) {
    Machine.check(options);
    try {
      StubPool pool = new StubPool(options, seams);
      try {
        pool.tracer.start();
        pool.work.awaitBeginning();
      } catch (RuntimeException | Error e) {
        pool.leases.close();
        throw e;
      }
      return pool;
    } catch (NativeCallException e) {
      throw new SystemCallException(e.call(), e.errno(), e.step());
    } catch (IllegalCallerException e) {
      throw new UnsupportedMachineException(e.getMessage(), e.getCause());
    }
  }

  /** {@link #acquire(Duration)} with the pool's own timeout. */
  public Stub acquire() {
    return acquire(options.acquireTimeout());
  }

  /**
   * Leases a stub: an idle one, else a new one, else, once there are {@code maxStubs}, the next
   * that is given back, first come first served.
   *
   * @param timeout how long to wait at most
   * @throws AcquireTimeoutException if that is over
   * @throws AcquireInterruptedException if the thread is interrupted while it waits
   * @throws TooManyWaitersException if {@code maxWaiters} threads already wait
   * @throws SystemCallException if a stub was to be made and the kernel refused; the pool goes on
   * @throws StubPoolException if none could be made because somebody kills sources as fast as they
   *     are made; the pool goes on
   * @throws StubPoolClosedException if the pool is or becomes closed
   */
  public Stub acquire(Duration timeout) {
    Objects.requireNonNull(timeout, "timeout");
    Stub stub = tryAcquire();
    return stub != null ? stub : traced(supply.await(timeout));
  }

  /**
   * Leases an idle stub if there is one. Makes no system call, and never waits.
   *
   * @return a stub, or null if none is idle
   * @throws StubPoolClosedException if the pool is closed
   */
  public Stub tryAcquire() {
    checkOpen();
    Stub stub = supply.poll();
    return stub == null ? null : traced(stub);
  }

  private Stub traced(Stub stub) {
    if (options.leakTraces()) {
      stub.process().guard().acquiredHere();
    }
    return stub;
  }

  /**
   * Makes memory that this JVM and stubs can both map.
   *
   * @param size in bytes, more than 0; rounded up to whole pages
   */
  public MemoryFile memoryFile(long size) {
    checkOpen();
    return MemoryFile.create(size);
  }

  /**
   * Opens a file of the host for stubs to map.
   *
   * @param options READ, or READ and WRITE; none means READ
   * @throws SystemCallException if it cannot be opened
   */
  public HostFile mappable(Path path, OpenOption... options) {
    checkOpen();
    return HostFile.open(path, options);
  }

  /** Which addresses of a stub can be mapped. */
  public AddressSpace addressSpace() {
    return addressSpace;
  }

  /** The seccomp filter of the pool's stubs. */
  public BpfProgram filter() {
    return filter;
  }

  /** The pool's name. */
  public String name() {
    return options.name();
  }

  /** Counts of now. */
  public StubPoolStats stats() {
    return supply.stats(filter.length(), work.sourcePid());
  }

  /**
   * Kills and reaps all stubs, leased ones too, and fails who waits. Idempotent and bounded; a
   * second caller waits for the first. Under {@link OnStubDeath#KILL_JVM} it ends the JVM.
   *
   * @throws StubUnresponsiveException if the kernel does not let some stubs die; they will when it
   *     does
   */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      tracer.stop();
      leases.close();
    }
    Duration atMost = callerPatience.plus(Duration.ofMillis(options.maxStubs()));
    if (!tracer.awaitEnd(atMost)) {
      throw new StubUnresponsiveException(
          "pool " + name() + " did not close within " + atMost + "; its tracer thread is stuck");
    }
    if (!guestTracers.close(GUESTS_END)) {
      LOG.warn("pool {}: closed, but the programs of some guests go on without them", name());
    }
  }

  @Override
  public String toString() {
    return "StubPool[" + name() + ", " + stats() + "]";
  }

  boolean isClosed() {
    return closed.get();
  }

  void checkOpen() {
    if (isClosed()) {
      throw new StubPoolClosedException(name());
    }
    if (tracer.hasEnded()) {
      throw new StubPoolException(
          "pool " + name() + " is broken: its tracer thread ended, see the log");
    }
  }

  void kill(Stub stub, StubProcess process) {
    if (process.tracee.hold()) {
      try {
        stub.checkUsable();
        if (options.onStubDeath() == OnStubDeath.KILL_JVM) {
          LOG.warn("pool {}: killing stub {} ends the JVM (KILL_JVM)", name(), stub.pid());
        }
        process.tracee.kill();
      } finally {
        process.tracee.release();
      }
      tracer.offer(() -> work.bury(process));
    } else {
      stub.checkUsable();
    }
  }

  long inject(
      Stub stub, StubProcess process, int number, long a, long b, long c, long d, long e, long f) {
    stub.checkUsable();
    Guest guest = Guest.currentOf(stub);
    if (!MappingTable.isNoted(number)) {
      return guest != null
          ? guest.inject(number, a, b, c, d, e, f)
          : ask(
              () -> {
                stub.checkUsable();
                return work.inject(process, number, a, b, c, d, e, f);
              });
    }
    MappingTable mappings = process.mappings;
    LongSupplier noted =
        () ->
            mappings.noting(
                number,
                a,
                b,
                c,
                d,
                f,
                null,
                () ->
                    guest != null
                        ? guest.inject(number, a, b, c, d, e, f)
                        : work.inject(process, number, a, b, c, d, e, f));
    return mappings.inTurn(() -> guest != null ? noted.getAsLong() : ask(usable(stub, noted)));
  }

  /** Something to be done by the tracer, unless the lease ends before. */
  private static LongSupplier usable(Stub stub, LongSupplier task) {
    return () -> {
      stub.checkUsable();
      return task.getAsLong();
    };
  }

  <T, X extends Exception> T run(Stub stub, GuestProgram<T, X> program, Duration limit) throws X {
    StubProcess process = stub.process();
    GuestRun<T, X> run = new GuestRun<>(this, stub, program);
    process.add(run);
    try {
      stub.checkUsable();
      start(stub, run, limit);
    } finally {
      process.remove(run);
    }
    return run.outcome();
  }

  private void start(Stub stub, GuestRun<?, ?> run, Duration limit) {
    GuestTracers.One guestTracer = guestTracers.take();
    CompletableFuture<Void> timer = null;
    try {
      timer = limit == null ? null : timer(run, limit);
      // Last: a thread of the stub that nobody takes over would stay.
      run.prepare(makeThread(stub), guestTracer);
      run.on(guestTracer.thread, callerPatience);
    } catch (StubUnresponsiveException e) {
      if (isClosed()) {
        throw new StubPoolClosedException(name());
      }
      throw e;
    } finally {
      if (timer != null) {
        timer.complete(null);
      }
      guestTracers.put(guestTracer);
    }
  }

  private Tracee makeThread(Stub stub) {
    AtomicReference<Tracee> thread = new AtomicReference<>();
    ask(
        () -> {
          stub.checkUsable();
          thread.set(work.makeThread(stub.process()));
          return 0;
        });
    return thread.get();
  }

  private static CompletableFuture<Void> timer(GuestRun<?, ?> run, Duration limit) {
    CompletableFuture<Void> timer = new CompletableFuture<>();
    try {
      timer.orTimeout(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (OutOfMemoryError e) {
      throw ThreadAdvice.refused("of the JVM's timers", e);
    }
    timer.exceptionally(
        _ -> {
          run.endBy(() -> new GuestTimeoutException("a guest ran for longer than " + limit));
          return null;
        });
    return timer;
  }

  /** Learns from the forge tracer how a stub that is dead or dying died. */
  String deathOf(Stub stub) {
    StubProcess process = stub.process();
    ask(
        () -> {
          process.tracee.kill(); // if only a thread is known to be dead
          work.bury(process);
          return 0;
        });
    return process.tracee.death();
  }

  /** Examines a fault of a guest, where nothing of the guest's own is in the way. */
  GuestThread.Details examine(Stub stub, GuestThread thread) {
    return stub.process().withFrame(stub.generation(), () -> mapFrame(stub), thread::examine);
  }

  private void mapFrame(Stub stub) {
    long address = StubImage.get().base() + Abi.STUB_FRAME_OFFSET;
    int protection = Abi.PROT_READ | Abi.PROT_WRITE;
    int flags = Abi.MAP_FIXED | Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS;
    // By the stub's first thread: a call in the guest's would end the stop that is examined.
    long result =
        ask(
            () ->
                work.inject(
                    stub.process(),
                    Abi.SYS_mmap,
                    address,
                    Abi.STUB_FRAME_SIZE,
                    protection,
                    flags,
                    -1,
                    0));
    SystemCallException.check(result, "mmap", "examining a fault in stub " + stub.pid());
  }

  long injectMapping(
      Stub stub,
      StubProcess process,
      Mappable file,
      int fd,
      String step,
      long address,
      long size,
      long protection,
      long flags,
      long offset) {
    stub.checkUsable();
    Guest guest = Guest.currentOf(stub);
    if (guest != null) {
      return process.mappings.inTurn(
          () ->
              map(
                  process,
                  file,
                  fd,
                  step,
                  address,
                  size,
                  protection,
                  flags,
                  offset,
                  guest::inject));
    }
    LongSupplier noted =
        () ->
            map(
                process,
                file,
                fd,
                step,
                address,
                size,
                protection,
                flags,
                offset,
                (number, a, b, c, d, e, f) -> work.inject(process, number, a, b, c, d, e, f));
    return process.mappings.inTurn(() -> ask(usable(stub, noted)));
  }

  /** A call in a thread of a stub. */
  private interface Call {
    long make(int number, long a, long b, long c, long d, long e, long f);
  }

  private static long map(
      StubProcess process,
      Mappable file,
      int fd,
      String step,
      long address,
      long size,
      long protection,
      long flags,
      long offset,
      Call call) {
    return process.mappings.noting(
        Abi.SYS_mmap,
        address,
        size,
        protection,
        flags,
        offset,
        file,
        () ->
            MappableWindow.get()
                .during(
                    fd,
                    step,
                    slot ->
                        call.make(Abi.SYS_mmap, address, size, protection, flags, slot, offset)));
  }

  Stub spawn(Stub parent) {
    parent.checkUsable();
    AtomicReference<Stub> child = new AtomicReference<>();
    LongSupplier copy =
        () -> {
          child.set(work.spawn(parent));
          return 0;
        };
    parent.process().mappings.inTurn(() -> ask(usable(parent, copy)));
    return traced(child.get());
  }

  /** Has the tracer do something, and waits for it. */
  private long ask(LongSupplier task) {
    Request request =
        new Request() {
          @Override
          protected long perform() {
            return task.getAsLong();
          }
        };
    try {
      return request.on(tracer, callerPatience);
    } catch (StubUnresponsiveException | StubDiedException e) {
      if (isClosed()) {
        StubPoolClosedException failure = new StubPoolClosedException(name());
        failure.addSuppressed(e);
        throw failure;
      }
      throw e;
    }
  }

  /** For benchmarks and tests of what a tracer costs by itself. */
  TracerThread tracerThread() {
    return tracer;
  }
}
