package dev.stubpool.kernel.signal;

import java.time.Duration;
import java.util.function.Predicate;

/**
 * A timer that sends a signal when it expires, once or periodically, setitimer(2), timer_create(2).
 * Guarded by the kernel's lock.
 *
 * <p>It sends the next signal only after the last one was taken, at a multiple of its interval.
 * Expirations missed meanwhile are counted as overrun. So signals do not accumulate, however short
 * the interval.
 */
public final class IntervalTimer implements SignalInfo.Source {
  /** The longest time, practically never; avoids overflow of sums. */
  private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE / 4);

  /** The minimal pause after a signal that will not be taken because it is ignored. */
  private static final long REST = Duration.ofMillis(10).toNanos();

  private final AlarmClock clock;
  private final Predicate<SignalInfo.Source> send;
  private AlarmClock.Alarm alarm = () -> {};
  private boolean armed;
  private long next;
  private long interval;

  /** Whether it has expired and its next expiration is not scheduled yet. */
  private boolean expired;

  /** Whether its signal is pending. */
  private boolean sent;

  private int overrun;

  /**
   * Creates a disarmed timer.
   *
   * @param send sends the signal with this source; returns false if it will not be taken
   */
  public IntervalTimer(AlarmClock clock, Predicate<SignalInfo.Source> send) {
    this.clock = clock;
    this.send = send;
  }

  /**
   * Sets the timer.
   *
   * @param first the time until it first expires; 0 or less disarms it
   * @param again the interval of further expirations; 0 for none
   */
  public void set(Duration first, Duration again) {
    alarm.cancel();
    expired = false;
    armed = first.isPositive();
    interval = nanos(again);
    if (armed) {
      arm(clock.now() + nanos(first));
    }
  }

  private static long nanos(Duration time) {
    return time.compareTo(LONGEST) < 0 ? time.toNanos() : LONGEST.toNanos();
  }

  /** The time until its next expiration; 0 if it is disarmed. */
  public Duration left() {
    long left = next - clock.now();
    if (!armed || (left <= 0 && interval == 0)) {
      return Duration.ZERO;
    }
    return Duration.ofNanos(left > 0 ? left : interval - Math.floorMod(-left, interval));
  }

  /** Its interval. */
  public Duration interval() {
    return Duration.ofNanos(interval);
  }

  /** The overrun of the signal that was taken last. */
  public int overrun() {
    return overrun;
  }

  private void arm(long time) {
    next = time;
    alarm = clock.at(time, this::expire);
  }

  private void expire() {
    expired = true;
    if (!sent) {
      sent = send.test(this);
    }
    if (!sent) {
      int _ = advance(REST);
    }
  }

  @Override
  public int taken() {
    sent = false;
    overrun = expired ? advance(0) : 0;
    return overrun;
  }

  /** Schedules the next expiration after a pause; returns the number of missed expirations. */
  private int advance(long rest) {
    expired = false;
    if (interval == 0) {
      armed = false;
      return 0;
    }
    long behind = Math.max(0, clock.now() + rest - next);
    long intervals = behind / interval + 1;
    arm(next + intervals * interval);
    return Math.toIntExact(Math.min(intervals - 1, Integer.MAX_VALUE));
  }
}
