package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.abi.Timespec;
import dev.stubpool.kernel.process.ProcessTimers;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.signal.IntervalTimer;
import dev.stubpool.kernel.signal.SignalEvent;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;

/** System calls on timers that send signals. */
final class TimerCalls {
  private static final int ITIMER_REAL = 0;
  private static final int ITIMER_VIRTUAL = 1;
  private static final int ITIMER_PROF = 2;
  private static final int TIMER_ABSTIME = 1;

  /** The delay of a timer whose expiration is in the past. */
  private static final Duration AT_ONCE = Duration.ofNanos(1);

  private TimerCalls() {}

  /** {@code struct itimerval} and {@code struct itimerspec}. */
  private record Setting(Duration interval, Duration value) {
    static final int SIZE = 2 * Timespec.SIZE;
    static final Setting DISARMED = new Setting(Duration.ZERO, Duration.ZERO);

    static Setting of(IntervalTimer timer) {
      return new Setting(timer.interval(), timer.left());
    }

    static Setting read(Task task, long address, Function<byte[], Duration> parse) {
      byte[] bytes = task.memory().read(address, SIZE);
      return new Setting(
          parse.apply(Arrays.copyOf(bytes, Timespec.SIZE)),
          parse.apply(Arrays.copyOfRange(bytes, Timespec.SIZE, SIZE)));
    }

    void write(Task task, long address, Function<Duration, byte[]> format) {
      if (address != 0) {
        ByteBuffer both = Struct.allocate(SIZE);
        both.put(format.apply(interval)).put(format.apply(value));
        task.memory().write(address, Struct.bytes(both));
      }
    }
  }

  // ---- interval timers ----

  /** alarm(2). */
  static long alarm(Task task, Arguments arguments) {
    IntervalTimer timer = task.process().timers().real();
    Duration before = timer.left();
    timer.set(Duration.ofSeconds(Integer.toUnsignedLong(arguments.integer(0))), Duration.ZERO);
    long rounded = before.plusMillis(500).toSeconds();
    return before.isZero() ? 0 : Math.max(1, rounded);
  }

  /** setitimer, getitimer(2). CPU time timers are not supported. */
  static long setitimer(Task task, Arguments arguments) {
    int which = arguments.integer(0);
    Setting setting =
        arguments.word(1) == 0
            ? Setting.DISARMED
            : Setting.read(task, arguments.word(1), Timespec::parseTimeval);
    Setting before = setting(task, which);
    if (which == ITIMER_REAL) {
      task.process().timers().real().set(setting.value(), setting.interval());
    } else if (setting.value().isPositive()) {
      task.process().timers().refuseCpuTime();
      throw new ErrnoException(Errno.EINVAL);
    }
    before.write(task, arguments.word(2), Timespec::timeval);
    return 0;
  }

  /** getitimer(2). */
  static long getitimer(Task task, Arguments arguments) {
    Setting setting = setting(task, arguments.integer(0));
    if (arguments.word(1) == 0) {
      throw new ErrnoException(Errno.EFAULT);
    }
    setting.write(task, arguments.word(1), Timespec::timeval);
    return 0;
  }

  private static Setting setting(Task task, int which) {
    return switch (which) {
      case ITIMER_REAL -> Setting.of(task.process().timers().real());
      case ITIMER_VIRTUAL, ITIMER_PROF -> Setting.DISARMED;
      default -> throw new ErrnoException(Errno.EINVAL);
    };
  }

  // ---- POSIX timers ----

  /** timer_create(2). */
  static long timerCreate(Task task, Arguments arguments) {
    switch (arguments.integer(0)) {
      case TimeCalls.CLOCK_REALTIME,
          TimeCalls.CLOCK_MONOTONIC,
          TimeCalls.CLOCK_BOOTTIME,
          TimeCalls.CLOCK_TAI -> {}
      default -> throw new ErrnoException(Errno.EINVAL);
    }
    Optional<SignalEvent> event =
        arguments.word(1) == 0
            ? Optional.empty()
            : Optional.of(
                SignalEvent.parse(task.memory().read(arguments.word(1), SignalEvent.SIZE)));
    ProcessTimers timers = task.process().timers();
    int id = timers.create(arguments.integer(0), event);
    try {
      task.memory().writeInt(arguments.word(2), id);
    } catch (ErrnoException e) {
      timers.delete(id);
      throw e;
    }
    return 0;
  }

  /** timer_settime(2). */
  static long timerSettime(Task task, Arguments arguments) {
    if (arguments.word(2) == 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    Setting setting = Setting.read(task, arguments.word(2), Timespec::parse);
    ProcessTimers timers = task.process().timers();
    int id = arguments.integer(0);
    IntervalTimer timer = timers.get(id);
    Setting before = Setting.of(timer);
    Duration first = setting.value();
    if (Bits.any(arguments.integer(1), TIMER_ABSTIME) && first.isPositive()) {
      Duration left = first.minus(TimeCalls.now(task, timers.clock(id)));
      first = left.isPositive() ? left : AT_ONCE;
    }
    timer.set(first, setting.interval());
    before.write(task, arguments.word(3), Timespec::timespec);
    return 0;
  }

  /** timer_gettime, timer_settime(2). */
  static long timerGettime(Task task, Arguments arguments) {
    IntervalTimer timer = task.process().timers().get(arguments.integer(0));
    if (arguments.word(1) == 0) {
      throw new ErrnoException(Errno.EFAULT);
    }
    Setting.of(timer).write(task, arguments.word(1), Timespec::timespec);
    return 0;
  }

  /** timer_getoverrun(2). */
  static long timerGetoverrun(Task task, Arguments arguments) {
    return task.process().timers().get(arguments.integer(0)).overrun();
  }

  /** timer_delete(2). */
  static long timerDelete(Task task, Arguments arguments) {
    task.process().timers().delete(arguments.integer(0));
    return 0;
  }
}
