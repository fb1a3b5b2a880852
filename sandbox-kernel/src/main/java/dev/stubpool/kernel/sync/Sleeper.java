package dev.stubpool.kernel.sync;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;

/** Lets a thread sleep; it releases the kernel's lock while sleeping. */
public final class Sleeper implements Waiter {
  /** A deadline that never comes. */
  public static final long NEVER = Long.MAX_VALUE;

  /** The longest time for which a deadline can be compared with {@link System#nanoTime}. */
  private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE / 4);

  private final Condition condition;
  private boolean woken;

  /** Creates the sleeper of one thread. */
  public Sleeper(KernelLock lock) {
    condition = lock.condition();
  }

  /**
   * The deadline of a wait of any duration: {@link #NEVER} from 73 years on, {@code start} for
   * negative durations.
   *
   * @param start the start of the wait, by {@link System#nanoTime}
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
   * Sleeps until woken; returns at once if {@link #wake} was called since the last sleep.
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
          interrupted = true; // ignored here and restored later: a task is ended by a wake-up
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
