package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Poll;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.signal.AlarmClock;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * A timer of timerfd_create(2). Only its first expiration since the last read wakes waiters;
 * further ones are counted at the next read.
 */
public final class TimerFile extends OpenFile {
  /** The longest time, practically never; avoids overflow of sums. */
  private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE / 4);

  private final AlarmClock clock;
  private final int clockId;
  private AlarmClock.Alarm alarm = () -> {};
  private boolean isArmed;
  private long next;
  private long interval;

  /**
   * Creates a disarmed timer.
   *
   * @param clockId the clock given at its creation, CLOCK_*
   * @param flags O_NONBLOCK
   */
  public TimerFile(AlarmClock clock, int clockId, int flags) {
    super("anon_inode:[timerfd]", OpenFlags.O_RDWR | flags);
    this.clock = clock;
    this.clockId = clockId;
  }

  /** The clock given at its creation. */
  public int clockId() {
    return clockId;
  }

  /**
   * Sets the timer, timerfd_settime(2).
   *
   * @param first the time until it first expires; 0 disarms it
   * @param again the interval of further expirations; 0 for none
   */
  public void set(Duration first, Duration again) {
    alarm.cancel();
    isArmed = first.isPositive();
    interval = nanos(again);
    if (isArmed) {
      arm(clock.now() + nanos(first));
    }
  }

  private static long nanos(Duration time) {
    return time.compareTo(LONGEST) < 0 ? time.toNanos() : LONGEST.toNanos();
  }

  private void arm(long time) {
    next = time;
    alarm = clock.at(time, waiters()::wakeAll);
  }

  /** The time until its next expiration, timerfd_gettime(2); 0 if it is disarmed. */
  public Duration left() {
    long left = next - clock.now();
    if (!isArmed || (left <= 0 && interval == 0)) {
      return Duration.ZERO;
    }
    return Duration.ofNanos(left > 0 ? left : interval - Math.floorMod(-left, interval));
  }

  /** Its interval. */
  public Duration interval() {
    return Duration.ofNanos(interval);
  }

  private boolean hasExpired() {
    return isArmed && clock.now() >= next;
  }

  @Override
  public boolean isPollable() {
    return true;
  }

  @Override
  public int readiness() {
    return hasExpired() ? Poll.POLLIN : 0;
  }

  @Override
  public FileStatus status() {
    return AnonymousFiles.status();
  }

  /** Reads the number of expirations. */
  @Override
  public int read(ByteBuffer to) {
    if (to.remaining() < Long.BYTES) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (!hasExpired()) {
      throw new ErrnoException(Errno.EAGAIN);
    }
    long times = 1;
    if (interval == 0) {
      isArmed = false;
    } else {
      times += (clock.now() - next) / interval;
      arm(next + times * interval);
    }
    to.put(Struct.bytes(Struct.allocate(Long.BYTES).putLong(times)));
    return Long.BYTES;
  }

  @Override
  public int write(ByteBuffer from) {
    throw new ErrnoException(Errno.EINVAL);
  }

  @Override
  protected void close() {
    alarm.cancel();
  }
}
