package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Timespec;
import dev.stubpool.kernel.task.Task;
import java.time.Duration;
import java.time.Instant;

/** Calls about time. */
final class TimeCalls {
  private static final int CLOCK_REALTIME = 0;
  private static final int CLOCK_MONOTONIC = 1;
  private static final int CLOCK_PROCESS_CPUTIME_ID = 2;
  private static final int CLOCK_THREAD_CPUTIME_ID = 3;
  private static final int CLOCK_MONOTONIC_RAW = 4;
  private static final int CLOCK_REALTIME_COARSE = 5;
  private static final int CLOCK_MONOTONIC_COARSE = 6;
  private static final int CLOCK_BOOTTIME = 7;
  private static final int TIMER_ABSTIME = 1;
  private static final int TIMEZONE_SIZE = 8;

  private TimeCalls() {}

  /** What a clock shows. */
  private static Duration now(Task task, int clock) {
    return switch (clock) {
      case CLOCK_REALTIME, CLOCK_REALTIME_COARSE -> Duration.between(Instant.EPOCH, Instant.now());
      // System.nanoTime is CLOCK_MONOTONIC on Linux.
      case CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME ->
          Duration.ofNanos(System.nanoTime());
      case CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID -> task.process().cpuTime();
      default -> throw new ErrnoException(Errno.EINVAL);
    };
  }

  /** clock_gettime(2). */
  static long clockGettime(Task task, Arguments arguments) {
    Duration now = now(task, arguments.integer(0));
    task.memory().write(arguments.word(1), Timespec.bytes(now.getSeconds(), now.getNano()));
    return 0;
  }

  /** clock_getres, clock_gettime(2). */
  static long clockGetres(Task task, Arguments arguments) {
    Duration _ = now(task, arguments.integer(0));
    if (arguments.word(1) != 0) {
      task.memory().write(arguments.word(1), Timespec.bytes(0, 1));
    }
    return 0;
  }

  /** gettimeofday(2). */
  static long gettimeofday(Task task, Arguments arguments) {
    if (arguments.word(0) != 0) {
      task.memory().write(arguments.word(0), Timespec.timeval(Instant.now()));
    }
    if (arguments.word(1) != 0) {
      task.memory().write(arguments.word(1), new byte[TIMEZONE_SIZE]);
    }
    return 0;
  }

  /** time(2). */
  static long time(Task task, Arguments arguments) {
    long seconds = Instant.now().getEpochSecond();
    if (arguments.word(0) != 0) {
      task.memory().writeLong(arguments.word(0), seconds);
    }
    return seconds;
  }

  /** nanosleep(2). */
  static long nanosleep(Task task, Arguments arguments) {
    return sleep(Timespec.parse(task.memory().read(arguments.word(0), Timespec.SIZE)));
  }

  /** clock_nanosleep(2). */
  static long clockNanosleep(Task task, Arguments arguments) {
    Duration time = Timespec.parse(task.memory().read(arguments.word(2), Timespec.SIZE));
    Duration now = now(task, arguments.integer(0));
    return sleep(arguments.integer(1) == TIMER_ABSTIME ? time.minus(now) : time);
  }

  /** poll(2) of nothing: it waits. */
  static long poll(Task task, Arguments arguments) {
    if (arguments.integer(1) != 0) {
      throw new ErrnoException(Errno.ENOSYS);
    }
    int millis = arguments.integer(2);
    return sleep(millis < 0 ? Duration.ofSeconds(Long.MAX_VALUE) : Duration.ofMillis(millis));
  }

  private static long sleep(Duration time) {
    try {
      if (time.isPositive()) {
        Thread.sleep(time);
      }
      return 0;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new ErrnoException(Errno.EINTR);
    }
  }
}
