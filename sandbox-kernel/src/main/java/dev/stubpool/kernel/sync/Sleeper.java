package dev.stubpool.kernel.sync;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;

/** A thread that can sleep under the kernel's lock, which it has not while it does. */
public final class Sleeper implements Waiter {
  /** A deadline that never comes. */
  public static final long NEVER = Long.MAX_VALUE;

  /** Beyond it {@link System#nanoTime} could not be compared with a deadline. */
  private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE / 4);

  private final Condition condition;
  private boolean woken;

  /** Of one thread. */
  public Sleeper(KernelLock lock) {
    condition = lock.condition();
  }

  /**
   * The deadline of a wait, for any time: {@link #NEVER} for those of 73 years and more, {@code
   * start} for negative ones.
   *
   * @param start when the wait began, by {@link System#nanoTime}
   */
  public static long deadline(long start, Duration time) {
    if (time.compareTo(LONGEST) >= 0) {
      return NEVER;
    }
    return time.isNegative() ? start : start + time.toNanos();
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
