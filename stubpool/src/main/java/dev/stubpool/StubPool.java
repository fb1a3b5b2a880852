package dev.stubpool;

import dev.stubpool.pool.Pool;
import dev.stubpool.seccomp.bpf.BpfProgram;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A pool of stubs: processes without memory, privileges or code of their own, which are controlled
 * by the holders of their leases.
 *
 * <p>One platform thread, the <em>forge tracer</em>, forks a <em>source stub</em> from the JVM and
 * traces it by ptrace(2); all other stubs are cloned from the source. {@link #acquire()} leases an
 * idle stub without a system call; a stub whose lease was closed is reset in the background, and
 * then idle again.
 *
 * <p>All stubs die when the JVM ends, even if it is killed. The death of a stub affects only the
 * holder of its lease, except under {@link OnStubDeath#KILL_JVM}. All methods may be called from
 * any thread, including virtual threads.
 */
public interface StubPool extends AutoCloseable {
  /**
   * Opens a pool: forks the source stub, and returns when the source is ready. Idle stubs are made
   * in the background.
   *
   * @param options the pool's configuration, such as {@link StubPoolOptions#defaults}
   * @return the pool, to be closed by the caller
   * @throws UnsupportedMachineException if the kernel, the JVM or limits do not allow stubs; the
   *     message says what to change
   * @throws SystemCallException if the kernel refused a step; no process remains
   * @throws IllegalArgumentException if {@link StubPoolOptions#policy} removes a system call that
   *     the library itself makes in its stubs; the message names the call
   */
  static StubPool open(StubPoolOptions options) {
    return Pool.open(options);
  }

  /**
   * Leases a stub as {@link #acquire(Duration)} does, with a timeout of {@link
   * StubPoolOptions#acquireTimeout}.
   *
   * @return a lease, to be closed by the caller
   */
  Stub acquire();

  /**
   * Leases a stub: an idle one, else a new one, else, if {@code maxStubs} are alive, the next one
   * whose lease is closed. Waiting callers are served in the order of their calls.
   *
   * @param timeout the longest time to wait; 0 or negative means not to wait
   * @return a lease, to be closed by the caller
   * @throws AcquireTimeoutException if no stub became free in time
   * @throws AcquireInterruptedException if the thread is interrupted while it waits
   * @throws TooManyWaitersException if {@code maxWaiters} threads already wait
   * @throws SystemCallException if the kernel refused to make a stub; the pool remains usable
   * @throws StubPoolException if no stub could be made because other processes kill source stubs as
   *     fast as they are made; the pool remains usable
   * @throws StubPoolClosedException if the pool is closed, or is closed during the wait
   */
  Stub acquire(Duration timeout);

  /**
   * Leases an idle stub if there is one and no other caller waits for a stub. Makes no system call,
   * and never waits.
   *
   * @return a lease, to be closed by the caller; null if no stub is idle, or if other callers wait
   * @throws StubPoolClosedException if the pool is closed
   */
  @SuppressWarnings("exports") // @Nullable: users need not have JSpecify
  @Nullable Stub tryAcquire();

  /**
   * Makes memory that this JVM and stubs can both map (memfd_create(2)).
   *
   * @param size the size in bytes, more than 0; rounded up to whole pages
   * @return the memory, to be closed by the caller
   * @throws SystemCallException if the kernel refuses it
   */
  MemoryFile memoryFile(long size);

  /**
   * Opens a file of the host for stubs to map.
   *
   * @param path a file of the host
   * @param options READ, or READ and WRITE; none means READ
   * @return the open file, to be closed by the caller
   * @throws SystemCallException if the file cannot be opened
   * @throws IllegalArgumentException for other options, and for a path of another file system, such
   *     as a zip file's
   */
  HostFile mappable(Path path, OpenOption... options);

  /** {@return the addresses that can be mapped in a stub} */
  AddressSpace addressSpace();

  /** {@return the seccomp filter of the pool's stubs} */
  BpfProgram filter();

  /** {@return the pid of the source stub, or 0 while there is none} */
  int sourcePid();

  /** {@return whether {@link #close} was called} */
  boolean isClosed();

  /** {@return the pool's name} */
  String name();

  /** {@return the pool's counts} */
  StubPoolStats stats();

  /**
   * Kills and reaps all stubs, including leased ones. Waiting callers and running guests fail with
   * {@link StubPoolClosedException}. Idempotent; a second caller waits for the first. Normally
   * returns within milliseconds, and in any case after a few times the deadline of a stub (10 s).
   * Under {@link OnStubDeath#KILL_JVM} this ends the JVM.
   *
   * @throws StubUnresponsiveException if the kernel does not end some stubs in time; they are
   *     killed, and end when the kernel can end them
   */
  @Override
  void close();
}
