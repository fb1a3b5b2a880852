package dev.stubpool.trace;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.Errno;
import dev.stubpool.nativestubs.ProcessCalls;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Collection;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A traced process, and the guard of its pid.
 *
 * <p>A pid means this process until it is reaped, and anybody's afterwards. So whoever uses the pid
 * from another thread than the tracer takes a hold first, and the tracer reaps only when there is
 * none: {@code holds} counts them, and is {@link #REAPED} for ever once there can be no more. Holds
 * are for a moment: a call that does not block.
 */
public final class Tracee {
  private static final int REAPED = Integer.MIN_VALUE;
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
  private volatile String death;

  /** Whether it has armed its parent death signal; the tracer's alone. */
  private boolean armed;

  /** Whether it is not like new: it ran, or was made from one that had. The tracer's alone. */
  private boolean used;

  /** Of a guest's thread its stub, else null. */
  private final Tracee stub;

  /** Whether its end is dealt with: it is reaped, or lingers. The tracer's alone. */
  private boolean buried;

  private boolean listed;

  /**
   * Of a guest's thread: whether a tracer has it, so that its number is its own until it is reaped.
   * The kernel reaps a thread without a tracer by itself, and may give its number to anybody.
   */
  private volatile boolean traced = true;

  /** The next of the tracer's list of those that linger; the tracer's alone. */
  Tracee nextLingering;

  /** The next of those whose end was not told yet; the tracer's alone. */
  Tracee nextUntold;

  /** Threads of this process that other tracers have. */
  private final Queue<Tracee> guests = new ConcurrentLinkedQueue<>();

  Tracee(int pid) {
    this(pid, null);
  }

  private Tracee(int pid, Tracee stub) {
    this.pid = pid;
    this.stub = stub;
  }

  /** A new thread of this process for another tracer to have. */
  Tracee addGuest(int tid) {
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

  /** Threads that were not reaped yet. */
  Collection<Tracee> guests() {
    return guests;
  }

  /** Has the stub forget this thread, which was reaped. */
  void leaveStub() {
    stub.guests.remove(this);
  }

  /** The process, as long as it is not reaped. */
  public int pid() {
    return pid;
  }

  /** How it died, such as "killed by SIGKILL", or null if it is not known to be dead. */
  public String death() {
    return death;
  }

  void died(String how) {
    death = how;
  }

  boolean isBuried() {
    return buried;
  }

  void setBuried() {
    buried = true;
  }

  /** Whether it is in the tracer's list of stubs that have guests. Tracer only. */
  boolean isListed() {
    return listed;
  }

  void setListed(boolean value) {
    listed = value;
  }

  boolean isTraced() {
    return traced;
  }

  void setTraced(boolean value) {
    traced = value;
  }

  boolean armed() {
    return armed;
  }

  void setArmed() {
    armed = true;
  }

  /** Whether it is other than at birth. Tracer only. */
  public boolean used() {
    return used;
  }

  void use() {
    used = true;
  }

  void reset() {
    used = false;
  }

  /** Keeps the pid from being reaped until {@link #release}; false if it has been already. */
  public boolean hold() {
    int now;
    do {
      now = holds;
      if (now == REAPED) {
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
   * Whether somebody holds the pid just now. A holder that copies from a file may wait for it long.
   */
  public boolean isHeld() {
    return holds > 0;
  }

  /**
   * Ends all use of the pid, unless it is held for longer than a moment. Tracer only, once the
   * process is dead.
   */
  boolean retire() {
    for (int tries = 0; tries < RETIRE_TRIES; tries++) {
      if (holds == REAPED || HOLDS.compareAndSet(this, 0, REAPED)) {
        return true;
      }
      Thread.yield();
    }
    return false;
  }

  /**
   * Ends all use of the pid, unless it is held for longer than a moment; whether it was this caller
   * who did. Any thread, once it is dead.
   */
  boolean claimEnd() {
    for (int tries = 0; tries < RETIRE_TRIES && holds != REAPED; tries++) {
      if (HOLDS.compareAndSet(this, 0, REAPED)) {
        return true;
      }
      Thread.yield();
    }
    return false;
  }

  /** Whether all use of the pid has ended. */
  boolean isRetired() {
    return holds == REAPED;
  }

  /**
   * Kills the process with SIGKILL, from any thread; that of a guest's thread by the process's own
   * number, which is certainly its. Allocates nothing. 0, or -ESRCH if it is dead and reaped.
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
