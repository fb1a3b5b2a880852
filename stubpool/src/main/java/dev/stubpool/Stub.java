package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.SystemCalls;

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
  private final StubMemory memory;

  Stub(StubPool pool, StubProcess process) {
    this.pool = pool;
    this.process = process;
    this.memory = new StubMemory(pool, this);
  }

  /** The process. Only this handle's holder may rely on the number, and only until it closes it. */
  public int pid() {
    return process.tracee.pid();
  }

  /** What the process is doing; {@link StubState#LEASED} until it dies or this lease ends. */
  public StubState state() {
    return process.state();
  }

  /** The stub's address space. */
  public StubMemory memory() {
    return memory;
  }

  /**
   * Runs a system call in the stub.
   *
   * <p>Memory the call refers to is the stub's. Calls that change who the stub is have methods of
   * their own, and are refused here.
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
          case Abi.SYS_clone -> "acquire another stub";
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
   * Kills the process with SIGKILL. The lease stays, to be closed; all its calls throw {@link
   * StubDiedException} from now on.
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
    if (process.endLease(this)) {
      pool.release(process);
    }
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
    if (!process.isLeasedTo(this)) {
      throw new IllegalStateException("this lease of stub " + pid() + " is closed");
    }
  }

  @Override
  public String toString() {
    return "Stub[" + pid() + ", " + (process.isLeasedTo(this) ? state() : "closed lease") + "]";
  }
}
