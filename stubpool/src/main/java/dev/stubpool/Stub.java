package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.SystemCalls;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletionStage;

/**
 * A lease of one stub: a process that does nothing but what its holder has it do. All methods may
 * be called from any thread, virtual ones too.
 *
 * <p>Each lease has a handle of its own. Once closed it throws {@link IllegalStateException} for
 * ever, whoever has the process by then.
 */
public final class Stub implements AutoCloseable {
  private static final int MOST_ARGUMENTS = 6;

  private final StubPool pool;
  private final StubProcess process;

  /** The lease's number among those of this process. */
  private final long generation;

  /** The next one of {@link IdleStubs}, which owns it. */
  Stub below;

  /** Set before the lease is given back: a handle of a dead stub may be closed too. */
  private volatile boolean closed;

  /** Made when it is asked for. Benign race: any is as good as another. */
  private StubMemory memory;

  Stub(StubPool pool, StubProcess process, long generation) {
    this.pool = pool;
    this.process = process;
    this.generation = generation;
  }

  /** The process. Only this handle's holder may rely on the number, and only until it closes it. */
  public int pid() {
    return process.tracee.pid();
  }

  /**
   * What the process is doing: {@link StubState#LEASED} until it dies or this lease ends, and from
   * then on whatever becomes of it.
   */
  public StubState state() {
    return process.state();
  }

  /** The stub's address space. */
  public StubMemory memory() {
    StubMemory known = memory;
    if (known == null) {
      known = new StubMemory(pool, this);
      memory = known;
    }
    return known;
  }

  /**
   * Runs a system call in the stub.
   *
   * <p>Memory the call refers to is the stub's. Calls that change who the stub is have methods of
   * their own, and are refused here. What mmap, munmap and mprotect change shows in {@link
   * StubMemory#mappings}.
   *
   * @param number the x86-64 number
   * @param arguments up to six, the rest is 0
   * @return the kernel's raw result; -errno in [-4095, -1]
   * @throws DeniedSystemCallException if the stub's filter does not allow it; it was not made
   * @throws StubDiedException if the stub is dead
   * @throws IllegalArgumentException for clone, exit, futex and prctl, or too many arguments
   * @throws IllegalStateException if this lease is closed
   * @throws StubPoolClosedException if the pool is closed
   */
  public long syscall(int number, long... arguments) {
    if (arguments.length > MOST_ARGUMENTS) {
      throw new IllegalArgumentException(
          "a system call has at most " + MOST_ARGUMENTS + " arguments, not " + arguments.length);
    }
    String instead =
        switch (number) {
          case Abi.SYS_clone -> "use spawnChild(), or acquire another stub";
          case Abi.SYS_exit -> "use kill() or close()";
          case Abi.SYS_futex -> "a stub waits by itself while it is idle";
          case Abi.SYS_prctl -> "the pool arms the parent death signal with the first call";
          default -> null;
        };
    if (instead != null) {
      throw new IllegalArgumentException(
          SystemCalls.name(number) + " is not for callers: " + instead);
    }
    return pool.inject(
        this,
        process,
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

  /**
   * Runs guest code in a new thread of the stub. The program is called on a thread that does
   * nothing else meanwhile, and bound to one CPU where the pool's {@link Affinity} says so, which
   * threads that it starts inherit; the caller waits. Several callers may run guests in one stub at
   * once: they share its memory.
   *
   * @return what the program returned
   * @throws X what the program threw, as all unchecked exceptions
   * @throws StubDiedException if the stub died before the program began
   * @throws SystemCallException if the kernel refused a thread
   * @throws IllegalStateException if this lease is closed, also by the program itself
   * @throws StubPoolClosedException if the pool is or becomes closed
   */
  public <T, X extends Exception> T run(GuestProgram<T, X> program) throws X {
    return pool.run(this, program, null);
  }

  /**
   * {@link #run(GuestProgram)} with a limit.
   *
   * @param limit how long the guest and its program may take; then the guest is interrupted, and
   *     what the program does next with it throws
   * @throws GuestTimeoutException if that is over
   */
  public <T, X extends Exception> T run(GuestProgram<T, X> program, Duration limit) throws X {
    return pool.run(this, program, Objects.requireNonNull(limit, "limit"));
  }

  /**
   * Makes a copy of this stub, as fork(2) does: private memory is copied when either writes to it,
   * shared memory stays shared. The copy is a stub of the pool like any other, leased to the
   * caller.
   *
   * <p>No guest may be running; those that are stopped stay where they are, and the copy has none:
   * {@link Guest#save} one and {@link Guest#restore} it in the copy.
   *
   * <p>Never waits for room, and counts against {@code maxStubs}: where there are so many, it takes
   * the place of an idle one. Use it as a template: map and load once, spawn as often as wanted.
   *
   * @throws StubPoolFullException if all {@code maxStubs} are in use
   * @throws SystemCallException if the kernel refused another process
   * @throws StubDiedException if this stub is dead
   * @throws IllegalStateException if this lease is closed, or a guest runs
   * @throws StubPoolClosedException if the pool is closed
   */
  public Stub spawnChild() {
    return pool.spawn(this);
  }

  /**
   * Tells of the process's death: completes with how it died, such as "killed by SIGKILL", on a
   * thread of the common pool. Fails with a {@link java.util.concurrent.CompletionException} whose
   * cause is a {@link java.util.concurrent.CancellationException} if the lease is closed first.
   *
   * <p>Death is noticed at once by whoever has the stub do something. Otherwise the pool looks for
   * dead stubs ten times a second while stubs are leased, more rarely where there are many
   * thousands, and once a second while none is.
   *
   * @throws IllegalStateException if this lease is closed
   */
  public CompletionStage<String> onDeath() {
    checkUsable();
    return process.watchDeath(generation).minimalCompletionStage();
  }

  /**
   * Kills the process with SIGKILL. The lease stays, to be closed; all its calls throw {@link
   * StubDiedException} from now on. Under {@link OnStubDeath#KILL_JVM} it kills the JVM.
   *
   * @throws IllegalStateException if this lease is closed
   */
  public void kill() {
    pool.kill(this, process);
  }

  /**
   * Ends the lease: the process is made like new for somebody else, or killed. Idempotent, does not
   * wait for it.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      process.giveBack(generation);
    } finally {
      Reference.reachabilityFence(this); // or it may be found lost while it is closed
    }
  }

  /** Takes an idle stub; whether it was this caller who got it. */
  boolean beginLease() {
    return process.lease(generation);
  }

  long generation() {
    return generation;
  }

  StubProcess process() {
    return process;
  }

  /**
   * Says what is wrong if this handle may not be used; callers that also hold the pid hold off the
   * next lease.
   */
  void checkUsable() {
    pool.checkOpen();
    checkOpen();
  }

  void checkOpen() {
    if (!isOpen()) {
      throw new IllegalStateException("this lease of stub " + pid() + " is closed");
    }
  }

  /** A dead stub's lease lasts until it is closed. */
  private boolean isOpen() {
    return !closed && (process.isLeased(generation) || process.tracee.death() != null);
  }

  @Override
  public String toString() {
    return "Stub[" + pid() + ", " + (isOpen() ? state() : "closed lease") + "]";
  }
}
