package dev.stubpool.kernel.signal;

import java.time.Duration;
import java.util.function.Predicate;

/**
 * A timer that sends a signal when it expires: once, or again and again at an interval,
 * setitimer(2), timer_create(2). Under the kernel's lock.
 *
 * <p>It sends the next signal only after the last one was taken, and then at a multiple of its
 * interval; those left out meanwhile are its overrun. So however short an interval is, nothing
 * piles up.
 */
public final class IntervalTimer implements SignalInfo.Source {
  /** As good as never, and far enough from where sums overflow. */
  private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE / 4);

  /** How long it rests at least after a signal that nobody takes: one that is ignored. */
  private static final long REST = Duration.ofMillis(10).toNanos();

  private final AlarmClock clock;
  private final Predicate<SignalInfo.Source> send;
  private AlarmClock.Alarm alarm = () -> {};
  private boolean armed;
  private long next;
  private long interval;

  /** It has expired, and it is not decided when it does again. */
  private boolean expired;

  /** A signal of its waits to be taken. */
  private boolean sent;

  private int overrun;

  /**
   * A timer that is not armed.
   *
   * @param send sends the signal, whose source this is; false if nobody will take it
   */
  public IntervalTimer(AlarmClock clock, Predicate<SignalInfo.Source> send) {
    this.clock = clock;
    this.send = send;
  }

  /**
   * Arms it anew.
   *
   * @param first how long until it expires; 0 or less disarms it
   * @param again how long from then until it expires again; 0 for never
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

  /** How long until it expires next; 0 if it does not. */
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

  /** Has it expire next after a rest; how many times were left out. */
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
