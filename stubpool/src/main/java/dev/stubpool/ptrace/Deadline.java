package dev.stubpool.ptrace;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The deadline of one tracer's blocking wait. The tracer thread arms and disarms it, and the {@link
 * Watchdog} enforces it.
 *
 * <p>Memory order: {@code target} is written before {@code expires}, and read after it; both are
 * volatile.
 */
final class Deadline {
  static final long NONE = 0;

  private final int tid;
  private final long patience;
  private volatile @Nullable Tracee target;
  private long killedFor = NONE;
  private long killedAt;
  private volatile long expires = NONE;

  /**
   * The value of {@code expires} of a wait that the watchdog abandoned. Written by the watchdog,
   * read by the tracer.
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
   * Whether the watchdog has killed the target of the current wait in vain, and abandoned the wait.
   */
  boolean isAbandoned() {
    return abandoned == expires;
  }

  void abandon(long wait) {
    abandoned = wait;
  }

  /**
   * When the current wait must end, by {@link System#nanoTime}, or {@link #NONE} without a wait.
   */
  long expires() {
    return expires;
  }

  /**
   * The target of the wait whose {@link #expires} was read before, if that has not changed since.
   */
  Tracee target() {
    return Objects.requireNonNull(target, "the watchdog looked before a wait began");
  }

  /** The waiting thread. */
  int tid() {
    return tid;
  }

  /** Whether this is the first kill for a wait. For the watchdog. */
  boolean firstKill(long wait, long now) {
    boolean first = killedFor != wait;
    if (first) {
      killedFor = wait;
      killedAt = now;
    }
    return first;
  }

  /** When the first kill for the current wait was. For the watchdog. */
  long firstKilledAt() {
    return killedAt;
  }

  /** How long a wait may take. */
  Duration patience() {
    return Duration.ofNanos(patience);
  }
}
