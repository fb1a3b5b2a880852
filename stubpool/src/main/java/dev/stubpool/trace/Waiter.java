package dev.stubpool.trace;

import java.util.concurrent.locks.LockSupport;

/**
 * A thread that waits for a word from a tracer thread, mostly for a few microseconds: it looks for
 * a while, giving the CPU away each time, and parks only then. To park and to be unparked takes
 * longer than most of what is waited for.
 *
 * <pre>
 *   waiter                                          tracer
 *     while (word == null &amp;&amp; waiter.looksAgain()) {}    word = ...
 *     while (word == null) park()                     waiter.wake()
 * </pre>
 *
 * <p>Memory order: the word and {@code parks} are volatile. Who writes the word first and finds
 * that the waiter does not park is seen by the waiter's look after {@link #looksAgain} said no.
 */
public final class Waiter {
  /** About 30 us on an otherwise idle CPU: a stub made, or a call run in one, and some patience. */
  private static final int LOOKS = 64;

  private final Thread thread = Thread.currentThread();
  private int looks;
  private volatile boolean parks;

  /** Whether to look again; if not, look once more and park. The waiter's. */
  public boolean looksAgain() {
    if (looks < LOOKS && Looking.again()) {
      looks++;
      return true;
    }
    parks = true;
    return false;
  }

  /** Unparks the waiter if it may have parked. The tracer's, once the word is written. */
  public void wake() {
    if (!parks) {
      return;
    }
    if (thread.isVirtual()) {
      CpuBinding.lift(() -> LockSupport.unpark(thread)); // may start a carrier thread
    } else {
      LockSupport.unpark(thread);
    }
  }
}
