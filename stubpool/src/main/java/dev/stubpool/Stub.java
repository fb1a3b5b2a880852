package dev.stubpool;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A lease of a stub: the exclusive use of one process until {@link #close}. Each lease has its own
 * handle. After the lease has ended, the handle's methods throw {@link LeaseClosedException}, even
 * if the process is leased again.
 *
 * <p>All methods may be called from any thread, including virtual threads. If a handle becomes
 * garbage before its lease is closed, the pool ends the lease and logs that.
 */
public interface Stub extends AutoCloseable {
  /**
   * {@return the pid of the process} It may be the pid of another lease after this one has ended.
   */
  int pid();

  /**
   * {@return the state of the process: {@link StubState#LEASED} until it dies or this lease ends}
   * After that the process may be in any state.
   */
  StubState state();

  /** {@return the stub's memory} */
  StubMemory memory();

  /**
   * Runs a system call in the stub.
   *
   * <p>Addresses in the arguments are addresses of the stub. The calls clone, exit, futex and prctl
   * are refused here, since the pool itself uses them; some have methods of their own. The effects
   * of mmap, munmap and mprotect appear in {@link StubMemory#mappings}.
   *
   * @param number the number of the call, see {@link dev.stubpool.abi.SystemCalls}
   * @param arguments up to six arguments; missing arguments are 0
   * @return the kernel's raw result; -errno in [-4095, -1] for an error
   * @throws DeniedSystemCallException if the stub's filter denies the call; it was not made
   * @throws StubDiedException if the stub is dead
   * @throws StubUnresponsiveException if the tracer did not begin the call in time, or the stub did
   *     not end it in time and was killed
   * @throws IllegalArgumentException for clone, exit, futex and prctl, or too many arguments
   * @throws LeaseClosedException if this lease is closed
   * @throws StubPoolClosedException if the pool is closed
   */
  long syscall(int number, long... arguments);

  /**
   * Runs guest code in a new thread of the stub, a guest. The program, which controls the guest, is
   * called on a tracer thread of its own, which is bound to one CPU if the pool's {@link Affinity}
   * says so; threads that the program starts inherit the binding. The caller waits until the
   * program returns. Several callers may run guests in one stub at the same time; the guests share
   * the stub's memory.
   *
   * @param <T> the type of the program's result
   * @param <X> the checked exceptions that the program throws
   * @param program controls the guest
   * @return the program's result
   * @throws X any exception that the program threw; unchecked exceptions are rethrown, too
   * @throws StubDiedException if the stub died before the program was called
   * @throws SystemCallException if the kernel refused a thread, in the stub or in this JVM
   * @throws LeaseClosedException if this lease is closed, or closed while the guest runs
   * @throws StubPoolClosedException if the pool is closed, or closed while the guest runs
   */
  @SuppressWarnings("exports") // @Nullable: users need not have JSpecify
  <T extends @Nullable Object, X extends Exception> T run(GuestProgram<T, X> program) throws X;

  /**
   * Does as {@link #run(GuestProgram)} does, with a time limit.
   *
   * @param <T> the type of the program's result
   * @param <X> the checked exceptions that the program throws
   * @param program controls the guest
   * @param limit how long the guest and its program may take. After that the guest is interrupted,
   *     and the program's next use of it throws {@link GuestTimeoutException}. More than 292 years
   *     means no limit
   * @return the program's result
   * @throws X any exception that the program threw
   * @throws GuestTimeoutException if the time limit was exceeded
   */
  @SuppressWarnings("exports") // @Nullable: users need not have JSpecify
  <T extends @Nullable Object, X extends Exception> T run(
      GuestProgram<T, X> program, Duration limit) throws X;

  /**
   * Makes a copy of this stub, as fork(2) does: private memory is copied on write, shared memory
   * stays shared. The copy is a stub of the pool like any other, leased to the caller. For example,
   * one stub can be a template whose memory is mapped and loaded once and then copied many times.
   *
   * <p>No guest of the stub may be running. Guests that are stopped are not affected, and are not
   * copied; {@link Guest#save} a guest and {@link Guest#restore} it in the copy instead.
   *
   * <p>The copy counts towards {@code maxStubs}. If that many stubs are alive, an idle stub is
   * discarded for it; if none is idle, this method throws without waiting.
   *
   * @return the lease of the copy, to be closed by the caller
   * @throws StubPoolFullException if {@code maxStubs} stubs are in use
   * @throws SystemCallException if the kernel refused another process
   * @throws StubDiedException if this stub is dead
   * @throws LeaseClosedException if this lease is closed
   * @throws IllegalStateException if a guest runs
   * @throws StubPoolClosedException if the pool is closed
   */
  Stub spawnChild();

  /**
   * A stage that completes when the process dies, on a thread of the common pool, with a
   * description such as "killed by SIGKILL". If the lease ends first, the stage fails with a {@link
   * java.util.concurrent.CompletionException} whose cause is a {@link
   * java.util.concurrent.CancellationException}.
   *
   * <p>A call that uses the stub detects its death at once. Otherwise the pool searches for dead
   * stubs ten times a second while stubs are leased, less often if there are many thousands, and
   * once a second while none is leased.
   *
   * <p>The stage does not keep this handle reachable. If the handle becomes garbage, the lease ends
   * and the stage fails.
   *
   * @return a stage for this lease
   * @throws LeaseClosedException if this lease is closed
   */
  CompletionStage<String> onDeath();

  /**
   * Kills the process by SIGKILL. The lease remains open until it is closed, but its other methods
   * throw {@link StubDiedException}. Under {@link OnStubDeath#KILL_JVM} this kills the JVM.
   *
   * @throws LeaseClosedException if this lease is closed
   */
  void kill();

  /**
   * Ends the lease. The process is reset for another holder, or killed, as {@link OnRelease} says.
   * Guests that run are interrupted, and their programs fail with {@link LeaseClosedException}. All
   * of this is done in the background. Idempotent.
   */
  @Override
  void close();
}
