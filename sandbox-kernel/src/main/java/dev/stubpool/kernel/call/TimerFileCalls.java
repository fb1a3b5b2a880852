package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.abi.Timespec;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.TimerFile;
import dev.stubpool.kernel.process.Task;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;

/** The system calls of timerfd_create(2). */
final class TimerFileCalls {
  private static final int TFD_TIMER_ABSTIME = 1;
  private static final int TFD_TIMER_CANCEL_ON_SET = 2;

  /** Bytes of a {@code struct itimerspec}: interval, value. */
  private static final int SETTING_SIZE = 2 * Timespec.SIZE;

  /** The delay of a timer whose expiration is in the past. */
  private static final Duration AT_ONCE = Duration.ofNanos(1);

  private TimerFileCalls() {}

  /** timerfd_create(2). */
  static long create(Task task, Arguments arguments) {
    int clock = arguments.integer(0);
    int flags = arguments.integer(1);
    boolean isKnown =
        clock == TimeCalls.CLOCK_REALTIME
            || clock == TimeCalls.CLOCK_MONOTONIC
            || clock == TimeCalls.CLOCK_BOOTTIME;
    if (!isKnown || (flags & ~(OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK)) != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    OpenFile file = new TimerFile(task.table().clock(), clock, flags & OpenFlags.O_NONBLOCK);
    return task.process().descriptors().add(file, Bits.any(flags, OpenFlags.O_CLOEXEC));
  }

  /** timerfd_settime, timerfd_create(2). */
  static long settime(Task task, Arguments arguments) {
    int flags = arguments.integer(1);
    if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    byte[] setting = task.memory().read(arguments.word(2), SETTING_SIZE);
    Duration interval = Timespec.parse(Arrays.copyOf(setting, Timespec.SIZE));
    Duration first = Timespec.parse(Arrays.copyOfRange(setting, Timespec.SIZE, SETTING_SIZE));
    TimerFile timer = timer(task, arguments);
    byte[] before = setting(timer);
    if (Bits.any(flags, TFD_TIMER_ABSTIME) && first.isPositive()) {
      Duration left = first.minus(TimeCalls.now(task, timer.clockId()));
      first = left.isPositive() ? left : AT_ONCE;
    }
    timer.set(first, interval);
    if (arguments.word(3) != 0) {
      task.memory().write(arguments.word(3), before);
    }
    return 0;
  }

  /** timerfd_gettime, timerfd_create(2). */
  static long gettime(Task task, Arguments arguments) {
    task.memory().write(arguments.word(1), setting(timer(task, arguments)));
    return 0;
  }

  private static TimerFile timer(Task task, Arguments arguments) {
    if (Descriptors.opened(task, arguments.integer(0)) instanceof TimerFile timer) {
      return timer;
    }
    throw new ErrnoException(Errno.EINVAL);
  }

  private static byte[] setting(TimerFile timer) {
    ByteBuffer both = Struct.allocate(SETTING_SIZE);
    both.put(Timespec.timespec(timer.interval())).put(Timespec.timespec(timer.left()));
    return Struct.bytes(both);
  }
}
