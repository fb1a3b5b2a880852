package dev.stubpool.trace;

import java.time.Duration;

/**
 * The deadline of one tracer's blocking wait. The tracer arms and disarms it; the watchdog reads
 * it.
 *
 * <p>Memory order: {@code target} is written before {@code expires} (volatile), and read after it.
 */
final class Deadline {
  static final long NONE = 0;

  private final int tid;
  private final long patience;
  private Tracee target;
  private long killedFor = NONE;
  private long killedAt;
  private volatile long expires = NONE;

  /**
   * The value of {@code expires} whose wait the watchdog gave up; written by the watchdog, read by
   * the tracer.
   */
  private volatile long abandoned = NONE;

  Deadline(int tid, Duration patience) {
    this.tid = tid;
    this.patience = patience.toNanos();
  }

  /** Begins a wait for {@code tracee}. */
  void arm(Tracee tracee) {
    target = tracee;
    long time = System.nanoTime() + patience;
    expires = time == NONE ? 1 : time;
    Watchdog.armed();
  }

  void disarm() {
    expires = NONE;
  }

  /**
   * Whether the watchdog killed the target of the wait under way in vain, and wants it given up.
   */
  boolean isAbandoned() {
    return abandoned == expires;
  }

  void abandon(long wait) {
    abandoned = wait;
  }

  /** When the wait under way is to end, by {@link System#nanoTime}, or {@link #NONE}. */
  long expires() {
    return expires;
  }

  /**
   * The process waited for; of the wait that {@link #expires} told of, if that is still the same.
   */
  Tracee target() {
    return target;
  }

  /** The waiting thread. */
  int tid() {
    return tid;
  }

  /** Whether this is the first kill for a wait; the watchdog's alone, as the next. */
  boolean firstKill(long wait, long now) {
    boolean first = killedFor != wait;
    if (first) {
      killedFor = wait;
      killedAt = now;
    }
    return first;
  }

  /** When that was. */
  long firstKilledAt() {
    return killedAt;
  }

  /** How long a wait may take. */
  Duration patience() {
    return Duration.ofNanos(patience);
  }
}
