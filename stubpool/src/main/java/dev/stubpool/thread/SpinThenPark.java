package dev.stubpool.thread;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * How a thread waits for another: it polls a condition and yields the CPU after each poll, up to a
 * spin budget, and parks only then. Parking and unparking a thread takes longer than most of what
 * is waited for here.
 *
 * <p>One instance serves one wait of the thread that made it, for a result from a tracer thread:
 *
 * <pre>
 *   waiting thread                                tracer thread
 *     while (result == null &amp;&amp; wait.spin()) {}      result = ...
 *     while (result == null) park()                 wait.wake()
 * </pre>
 *
 * <p>Memory order: {@code result} and {@code parks} are volatile. The waiting thread writes {@code
 * parks} and then reads {@code result}; the tracer thread writes {@code result} and then reads
 * {@code parks}. So either {@link #wake} reads true and unparks, or the waiting thread reads the
 * result before it parks.
 *
 * <p>Yielding helps while it hands the CPU to the thread that is waited for. On a busy machine it
 * hands the CPU to an unrelated thread for a time slice, while a parked thread gets the CPU as soon
 * as it is unparked. So a yield that took long makes all threads of the JVM skip spinning for a
 * while.
 */
public final class SpinThenPark {
  /**
   * The spin budget of a wait, in yields: about 30 us on an otherwise idle CPU. It covers the
   * forging of a stub or an injection, with some to spare.
   */
  static final int SPINS = 64;

  /**
   * A yield that takes this long ran an unrelated thread. Far above the time of what is waited for,
   * below a time slice (4 ms at 250 Hz).
   */
  private static final long LONG_YIELD_NANOS = Duration.ofMillis(2).toNanos();

  /** How long no thread spins after a long yield. */
  private static final long PAUSE_NANOS = Duration.ofMillis(20).toNanos();

  // Benign races: each thread may set these for all, and a late reader spins once too often.
  private static volatile boolean paused;
  private static volatile long pausedUntil;

  private final Thread thread = Thread.currentThread();
  private int spins;
  private volatile boolean parks;

  /**
   * Yields the CPU, unless spinning is paused.
   *
   * @return whether it yielded, so that the caller polls again instead of parking
   */
  static boolean yieldUnlessPaused() {
    long before = System.nanoTime();
    if (paused) {
      if (before - pausedUntil < 0) {
        return false;
      }
      paused = false;
    }
    Thread.yield();
    long after = System.nanoTime();
    if (after - before >= LONG_YIELD_NANOS) {
      pausedUntil = after + PAUSE_NANOS;
      paused = true;
    }
    return true;
  }

  /**
   * Yields the CPU once. Called by the waiting thread only.
   *
   * @return whether to poll again; if not, the caller polls once more and then parks
   */
  public boolean spin() {
    if (spins < SPINS && yieldUnlessPaused()) {
      spins++;
      return true;
    }
    parks = true;
    return false;
  }

  /** Unparks the waiting thread if it may have parked. Called once the result is written. */
  public void wake() {
    if (!parks) {
      return;
    }
    if (thread.isVirtual()) {
      CpuBinding.withoutBinding(() -> LockSupport.unpark(thread)); // may start a carrier thread
    } else {
      LockSupport.unpark(thread);
    }
  }
}
