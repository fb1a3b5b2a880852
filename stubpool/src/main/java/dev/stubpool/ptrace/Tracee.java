package dev.stubpool.ptrace;

import dev.stubpool.abi.Errno;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Collection;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * A traced process or thread, and the guard of its pid.
 *
 * <p>A pid names this process until it is reaped, and may name any other process afterwards. So
 * whoever uses the pid takes a hold first, except the tracer that reaps it, which reaps only when
 * there is no hold. {@code holds} counts the holds; a CAS from 0 to {@link #RETIRED} comes before
 * the reaping, and no hold can be taken from then on. A hold lasts while the pid is used: for one
 * short call mostly, for a whole run where a guest's tracer holds its thread, for longer where a
 * copy of memory waits for a file. Whoever reaps therefore never waits for holds, and tries again
 * later.
 *
 * <p>Fields that are not volatile are accessed only by the tracer thread.
 */
public final class Tracee {
  private static final int RETIRED = Integer.MIN_VALUE;
  private static final int RETIRE_TRIES = 100;
  private static final VarHandle HOLDS;

  static {
    try {
      HOLDS = MethodHandles.lookup().findVarHandle(Tracee.class, "holds", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final int pid;
  private volatile int holds;
  private volatile @Nullable String death;

  /** Whether it has armed its parent death signal. */
  private boolean armed;

  /** Whether it must be reset before another lease: it ran, or is a copy of a stub that ran. */
  private boolean used;

  /** The stub whose thread this is, or null for the process itself. */
  private final @Nullable Tracee stub;

  /** Whether the pool need not count it any more, see {@link Reaper}. */
  private boolean settled;

  /** Whether it is in the reaper's list of stubs that have guests. */
  private boolean listed;

  /**
   * Whether a tracer has it. The kernel itself reaps a thread without a tracer, and may give its
   * number to another process.
   */
  private volatile boolean traced = true;

  /** The next in the list of settled processes that are not reaped. */
  @Nullable Tracee nextUnreaped;

  /** The next in the list of settled tracees that the listener was not told of. */
  @Nullable Tracee nextUntold;

  /** Threads of this process that other tracers have. */
  private final Queue<Tracee> guests = new ConcurrentLinkedQueue<>();

  /** Makes the tracee of a process. */
  public Tracee(int pid) {
    this(pid, null);
  }

  private Tracee(int pid, @Nullable Tracee stub) {
    this.pid = pid;
    this.stub = stub;
  }

  /** Makes the tracee of another thread of this process, which another tracer will seize. */
  public Tracee addGuest(int tid) {
    Tracee thread = new Tracee(tid, this);
    guests.add(thread);
    return thread;
  }

  /** Whether it is a guest's thread, and not the first thread of a stub. */
  boolean isGuest() {
    return stub != null;
  }

  /** The stub that this is or whose thread it is. */
  Tracee stub() {
    return stub == null ? this : stub;
  }

  /** Its guests' threads that are not reaped yet. */
  Collection<Tracee> guests() {
    return guests;
  }

  /** Removes this thread, which is reaped, from the threads of its stub. */
  void leaveStub() {
    stub().guests.remove(this);
  }

  /** The number of the process or thread; its own until it is reaped. */
  public int pid() {
    return pid;
  }

  /** How it died, such as "killed by SIGKILL", or null if it is not known to be dead. */
  public @Nullable String death() {
    return death;
  }

  /** How it died, for messages: as {@link #death} says, or "being killed" if that is not known. */
  public String describeDeath() {
    String how = death;
    return how == null ? "being killed" : how;
  }

  void died(String how) {
    death = how;
  }

  boolean isSettled() {
    return settled;
  }

  void setSettled() {
    settled = true;
  }

  boolean isListed() {
    return listed;
  }

  void setListed(boolean value) {
    listed = value;
  }

  boolean isTraced() {
    return traced;
  }

  /** Records whether a tracer has it. */
  public void setTraced(boolean value) {
    traced = value;
  }

  boolean armed() {
    return armed;
  }

  /** Records that it has armed its parent death signal. */
  public void setArmed() {
    armed = true;
  }

  /** Whether it must be reset before another lease. */
  public boolean used() {
    return used;
  }

  /** Records that it runs: it must be reset before another lease. */
  public void use() {
    used = true;
  }

  /** Records that it was reset. */
  public void reset() {
    used = false;
  }

  /** Keeps the pid from being reaped until {@link #release}; false if it is reaped already. */
  public boolean hold() {
    int now;
    do {
      now = holds;
      if (now == RETIRED) {
        return false;
      }
    } while (!HOLDS.compareAndSet(this, now, now + 1));
    return true;
  }

  /** Ends a hold. */
  public void release() {
    HOLDS.getAndAdd(this, -1);
  }

  /**
   * Whether another thread holds the pid. A holder that copies memory of a file may hold it for
   * long.
   */
  public boolean isHeld() {
    return holds > 0;
  }

  /**
   * Ends all use of the pid, unless it is held for longer than a moment. For the tracer thread,
   * once the process is dead.
   */
  boolean retire() {
    for (int tries = 0; tries < RETIRE_TRIES; tries++) {
      if (holds == RETIRED || HOLDS.compareAndSet(this, 0, RETIRED)) {
        return true;
      }
      Thread.yield();
    }
    return false;
  }

  /**
   * Ends all use of the number of a dead thread, unless it is held for longer than a moment;
   * whether this caller did. May be called from any thread.
   */
  boolean claimEnd() {
    for (int tries = 0; tries < RETIRE_TRIES && holds != RETIRED; tries++) {
      if (HOLDS.compareAndSet(this, 0, RETIRED)) {
        return true;
      }
      Thread.yield();
    }
    return false;
  }

  /** Whether all use of the pid has ended. */
  boolean isRetired() {
    return holds == RETIRED;
  }

  /**
   * Kills the process with SIGKILL; for a guest's thread by the pid of its process, which is
   * certainly the stub's. May be called from any thread; allocates nothing. 0, or -ESRCH if it is
   * reaped.
   */
  public long kill() {
    if (stub != null) {
      return stub.kill();
    }
    if (!hold()) {
      return -Errno.ESRCH;
    }
    try {
      return ProcessCalls.kill(pid, Abi.SIGKILL);
    } finally {
      release();
    }
  }
}
