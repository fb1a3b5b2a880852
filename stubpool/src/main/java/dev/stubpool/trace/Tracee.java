package dev.stubpool.trace;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.Errno;
import dev.stubpool.nativestubs.ProcessCalls;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

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

  Tracee(int pid) {
    this.pid = pid;
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

  /** Kills the process with SIGKILL, from any thread. 0, or -ESRCH if it is dead and reaped. */
  public long kill() {
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
