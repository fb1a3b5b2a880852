package dev.stubpool.kernel.sync;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;

/** A thread that can sleep under the kernel's lock, which it has not while it does. */
public final class Sleeper implements Waiter {
  /** A deadline that never comes. */
  public static final long NEVER = Long.MAX_VALUE;

  private final Condition condition;
  private boolean woken;

  /** Of one thread. */
  public Sleeper(KernelLock lock) {
    condition = lock.condition();
  }

  @Override
  public void wake() {
    woken = true;
    condition.signal();
  }

  /**
   * Sleeps until woken, also by a {@link #wake} that came since the last sleep.
   *
   * @param deadline by {@link System#nanoTime}, or {@link #NEVER}
   * @return false if the deadline came first
   */
  public boolean sleep(long deadline) {
    boolean interrupted = false;
    try {
      while (!woken) {
        long left = deadline == NEVER ? Long.MAX_VALUE : deadline - System.nanoTime();
        if (left <= 0) {
          return false;
        }
        try {
          condition.await(left, TimeUnit.NANOSECONDS);
        } catch (InterruptedException _) {
          interrupted = true; // nobody's business here: those who end a task wake it
        }
      }
      woken = false;
      return true;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
