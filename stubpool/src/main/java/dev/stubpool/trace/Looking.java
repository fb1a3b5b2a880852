package dev.stubpool.trace;

import java.time.Duration;

/**
 * Looking for a word again and again, giving the CPU away in between, instead of sleeping at once.
 * It pays while the CPU goes to who is to say the word. On a busy machine it goes to strangers, for
 * a time slice, while one who sleeps gets it back as soon as he is woken: a yield that took long
 * ends all looking for a while.
 */
final class Looking {
  /** Far above what is waited for, below the time slice of a stranger (4 ms at 250 Hz). */
  private static final long LONG_NANOS = Duration.ofMillis(2).toNanos();

  private static final long REST_NANOS = Duration.ofMillis(20).toNanos();

  // Benign races: whoever notices decides for the others, a moment sooner or later.
  private static volatile boolean resting;
  private static volatile long restUntil;

  private Looking() {}

  /** Whether to look again, after the CPU was given away; if not, it was not. */
  static boolean again() {
    long before = System.nanoTime();
    if (resting) {
      if (before - restUntil < 0) {
        return false;
      }
      resting = false;
    }
    Thread.yield();
    long after = System.nanoTime();
    if (after - before >= LONG_NANOS) {
      restUntil = after + REST_NANOS;
      resting = true;
    }
    return true;
  }
}
