package dev.stubpool.pool;

import dev.stubpool.AddressSpace;
import dev.stubpool.FaultDetails;
import dev.stubpool.GuestProgram;
import dev.stubpool.Stub;
import dev.stubpool.StubMemory;
import dev.stubpool.StubPoolException;
import dev.stubpool.StubState;
import dev.stubpool.StubUnresponsiveException;
import dev.stubpool.abi.SystemCalls;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.diagnose.ThreadAdvice;
import dev.stubpool.guest.GuestEngine;
import dev.stubpool.guest.GuestHost;
import dev.stubpool.guest.GuestRun;
import dev.stubpool.guest.GuestTracers.GuestTracer;
import dev.stubpool.guest.RunningGuest;
import dev.stubpool.memory.LeaseMemory;
import dev.stubpool.memory.MappableFile;
import dev.stubpool.memory.MappingTable;
import dev.stubpool.memory.MemoryTarget;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.ptrace.Tracee;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The implementation of {@link Stub}, the handle of one lease: checks that the lease is open, and
 * passes calls to the tracer thread that performs them.
 *
 * <p>A call by the program of a guest in this stub is made in the guest's thread. Every other call
 * is a request to the forge tracer, for which the caller waits.
 */
public final class Lease implements Stub, MemoryTarget, GuestHost {
  private static final int MOST_ARGUMENTS = 6;

  private final Pool pool;
  private final StubProcess process;

  /** The lease's number among those of this process. */
  private final long generation;

  /** The next handle in the stack of idle stubs. Accessed only by {@link IdleStubs}. */
  @Nullable Lease below;

  /**
   * Whether {@link #close} was called. Needed besides the word in the lease table, which does not
   * change when the lease of a dead stub is closed.
   */
  private volatile boolean closed;

  /** Made when first used. Benign race: all instances are equivalent. */
  private @Nullable StubMemory memory;

  Lease(Pool pool, StubProcess process, long generation) {
    this.pool = pool;
    this.process = process;
    this.generation = generation;
  }

  @Override
  public int pid() {
    return process.tracee.pid();
  }

  @Override
  public StubState state() {
    return process.state();
  }

  @Override
  public StubMemory memory() {
    StubMemory known = memory;
    if (known == null) {
      known = new LeaseMemory(this);
      memory = known;
    }
    return known;
  }

  // ---- system calls ----

  @Override
  public long syscall(int number, long... arguments) {
    if (arguments.length > MOST_ARGUMENTS) {
      throw new IllegalArgumentException(
          "a system call has at most " + MOST_ARGUMENTS + " arguments, not " + arguments.length);
    }
    String instead =
        switch (number) {
          case Abi.SYS_clone -> "use spawnChild(), or acquire another stub";
          case Abi.SYS_exit -> "use kill() or close()";
          case Abi.SYS_futex -> "the stub uses it to wait while it is idle";
          case Abi.SYS_prctl -> "the pool uses it to arm the parent death signal";
          default -> null;
        };
    if (instead != null) {
      throw new IllegalArgumentException(
          SystemCalls.name(number) + " is not for callers: " + instead);
    }
    return call(
        number,
        argument(arguments, 0),
        argument(arguments, 1),
        argument(arguments, 2),
        argument(arguments, 3),
        argument(arguments, 4),
        argument(arguments, 5));
  }

  private static long argument(long[] arguments, int index) {
    return index < arguments.length ? arguments[index] : 0;
  }

  @Override
  public long call(int number, long a, long b, long c, long d, long e, long f) {
    checkUsable();
    RunningGuest guest = RunningGuest.currentIn(process.tracee);
    if (MappingTable.isRecorded(number)) {
      return inTurn(
          guest,
          call ->
              process.mappings.callAndRecord(
                  number, a, b, c, d, f, null, () -> call.make(number, a, b, c, d, e, f)));
    }
    return guest != null
        ? guest.inject(number, a, b, c, d, e, f)
        : submitIfUsable(() -> inject(number, a, b, c, d, e, f));
  }

  @Override
  public long map(
      MappableFile file,
      int fd,
      String step,
      long address,
      long size,
      long protection,
      long flags,
      long offset) {
    checkUsable();
    return inTurn(
        RunningGuest.currentIn(process.tracee),
        call ->
            process.mappings.callAndRecord(
                Abi.SYS_mmap,
                address,
                size,
                protection,
                flags,
                offset,
                file,
                () ->
                    pool.window()
                        .during(
                            fd,
                            step,
                            slot ->
                                call.make(
                                    Abi.SYS_mmap,
                                    address,
                                    size,
                                    protection,
                                    flags,
                                    slot,
                                    offset))));
  }

  /**
   * Makes a call that is recorded, under the lock of the mapping table: in the guest's thread, or
   * by the forge tracer.
   */
  private long inTurn(@Nullable RunningGuest guest, ToLongFunction<Call> recorded) {
    return process.mappings.inTurn(
        guest != null
            ? () -> recorded.applyAsLong(guest::inject)
            : () -> submitIfUsable(() -> recorded.applyAsLong(this::inject)));
  }

  /**
   * Makes the forge tracer perform a task, unless the lease is closed by then.
   *
   * <p>Callers check the lease before, too, so that using a closed lease fails without waiting for
   * the tracer. The check here is the one that is needed: only the forge tracer resets a stub,
   * after which it may be leased to another holder, so that cannot happen between this check and
   * the end of the task.
   */
  private long submitIfUsable(LongSupplier task) {
    return pool.submitAndWait(
        () -> {
          checkUsable();
          return task.getAsLong();
        });
  }

  /** A system call in a thread of the stub. */
  private interface Call {
    long make(int number, long a, long b, long c, long d, long e, long f);
  }

  /** Makes a system call in the stub's first thread. Called on the forge tracer's thread. */
  private long inject(int number, long a, long b, long c, long d, long e, long f) {
    return pool.forgeTracer().inject(process.tracee, number, a, b, c, d, e, f);
  }

  // ---- guests ----

  @Override
  public <T extends @Nullable Object, X extends Exception> T run(GuestProgram<T, X> program)
      throws X {
    return runWithin(program, null);
  }

  @Override
  public <T extends @Nullable Object, X extends Exception> T run(
      GuestProgram<T, X> program, Duration limit) throws X {
    return runWithin(program, Objects.requireNonNull(limit, "limit"));
  }

  private <T extends @Nullable Object, X extends Exception> T runWithin(
      GuestProgram<T, X> program, @Nullable Duration limit) throws X {
    GuestRun<T, X> run = new GuestRun<>(this, program);
    process.add(run);
    try {
      checkUsable();
      perform(run, limit);
    } finally {
      process.remove(run);
    }
    return run.outcome();
  }

  private void perform(GuestRun<?, ?> run, @Nullable Duration limit) {
    GuestTracer guestTracer = takeGuestTracer();
    CompletableFuture<Void> timer = null;
    try {
      timer = limit == null ? null : timer(run, limit);
      run.prepare(makeThread(), guestTracer);
      submit(run, guestTracer);
    } catch (StubUnresponsiveException e) {
      pool.checkNotClosed(e);
      throw e;
    } finally {
      if (timer != null) {
        timer.complete(null);
      }
      pool.guestTracers().put(guestTracer);
    }
  }

  private void submit(GuestRun<?, ?> run, GuestTracer guestTracer) {
    try {
      run.submitAndWait(guestTracer.thread(), pool.callerPatience());
    } catch (StubUnresponsiveException e) {
      if (!run.hasBegun()) {
        pool.logIfKillingEndsTheJvm(pid());
        process.tracee.kill(); // no tracer will end the thread that was made for the run
      }
      throw e;
    }
  }

  /** Takes a guest tracer; if the kernel refuses its thread, discards idle stubs to make room. */
  private GuestTracer takeGuestTracer() {
    while (true) {
      try {
        return pool.guestTracers().take();
      } catch (StubPoolException e) {
        if (pool.submitAndWait(() -> pool.forgeTracer().evict() ? 1 : 0) == 0) {
          throw e;
        }
      }
    }
  }

  private Tracee makeThread() {
    return pool.submitForResult(() -> pool.forgeTracer().makeThread(this));
  }

  private static CompletableFuture<Void> timer(GuestRun<?, ?> run, Duration limit) {
    CompletableFuture<Void> timer = new CompletableFuture<>();
    try {
      long nanos = TimeUnit.NANOSECONDS.convert(limit); // 292 years at most
      timer.orTimeout(nanos, TimeUnit.NANOSECONDS);
    } catch (OutOfMemoryError e) {
      throw ThreadAdvice.refused("of the JVM's timers", e);
    }
    timer.exceptionally(
        _ -> {
          run.endBy(() -> Failures.make().guestTimeout("a guest ran for longer than " + limit));
          return null;
        });
    return timer;
  }

  @Override
  public void guestRuns() {
    process.guestRuns();
  }

  @Override
  public void guestStopped() {
    process.guestStopped();
  }

  @Override
  public FaultDetails examine(GuestEngine engine) {
    return process.withFrame(generation, this::mapFrame, engine::examine);
  }

  private void mapFrame() {
    long address = StubImage.get().base() + Abi.STUB_FRAME_OFFSET;
    int protection = Abi.PROT_READ | Abi.PROT_WRITE;
    int flags = Abi.MAP_FIXED | Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS;
    // In the stub's first thread: a call in the guest's thread would end the stop that is examined.
    long result =
        pool.submitAndWait(
            () -> inject(Abi.SYS_mmap, address, Abi.STUB_FRAME_SIZE, protection, flags, -1, 0));
    Failures.check(result, "mmap", "examining a fault in stub " + pid());
  }

  // ---- copying, killing and closing the stub ----

  @Override
  public Stub spawnChild() {
    checkUsable();
    AtomicReference<Lease> child = new AtomicReference<>();
    LongSupplier copy =
        () -> {
          child.set(pool.forgeTracer().spawn(this));
          return 0;
        };
    process.mappings.inTurn(() -> submitIfUsable(copy));
    return pool.withLeakTrace(Objects.requireNonNull(child.get(), "neither made nor refused"));
  }

  @Override
  public CompletionStage<String> onDeath() {
    checkUsable();
    return process.watchDeath(generation).minimalCompletionStage();
  }

  @Override
  public String awaitDeath() {
    pool.submitAndWait(
        () -> {
          process.tracee.kill(); // in case only one of its threads is dead
          pool.forgeTracer().reap(process.tracee);
          return 0;
        });
    return Objects.requireNonNull(process.tracee.death(), "reaped, but not dead");
  }

  @Override
  public void kill() {
    if (process.tracee.hold()) {
      try {
        checkUsable();
        pool.logIfKillingEndsTheJvm(pid());
        process.tracee.kill();
      } finally {
        process.tracee.release();
      }
      pool.reapInBackground(process.tracee);
    } else {
      checkUsable();
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      process.giveBack(generation);
    } finally {
      // Keeps the handle reachable, or the pool might take it for lost while it is being closed.
      Reference.reachabilityFence(this);
    }
  }

  // ---- state ----

  /** Begins the lease if the stub is idle; returns whether this call did. */
  boolean beginLease() {
    return process.lease(generation);
  }

  long generation() {
    return generation;
  }

  /** The process that the lease is for. */
  public StubProcess process() {
    return process;
  }

  @Override
  public Stub stub() {
    return this;
  }

  @Override
  public Tracee tracee() {
    return process.tracee;
  }

  @Override
  public MappingTable mappings() {
    return process.mappings;
  }

  @Override
  public AddressSpace addressSpace() {
    return pool.addressSpace();
  }

  /**
   * Throws if the pool or this lease is closed. If the caller holds the pid ({@link Tracee#hold}),
   * the process is not leased to another holder before the hold is released.
   */
  @Override
  public void checkUsable() {
    pool.checkOpen();
    checkOpen();
  }

  void checkOpen() {
    if (!isOpen()) {
      throw Failures.make().leaseClosed(pid());
    }
  }

  /** Whether the lease is open. The lease of a dead stub is open until it is closed. */
  private boolean isOpen() {
    return !closed && (process.isLeased(generation) || process.tracee.death() != null);
  }

  @Override
  public String toString() {
    return "Stub[" + pid() + ", " + (isOpen() ? state() : "closed lease") + "]";
  }
}
