package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.InterruptedCallException;
import dev.stubpool.kernel.abi.InterruptedCallException.Restart;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.abi.Timespec;
import dev.stubpool.kernel.process.GuestProcess;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.process.Usage;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** System calls on time. */
final class TimeCalls {
  static final int CLOCK_REALTIME = 0;
  static final int CLOCK_MONOTONIC = 1;
  private static final int CLOCK_PROCESS_CPUTIME_ID = 2;
  private static final int CLOCK_THREAD_CPUTIME_ID = 3;
  private static final int CLOCK_MONOTONIC_RAW = 4;
  private static final int CLOCK_REALTIME_COARSE = 5;
  private static final int CLOCK_MONOTONIC_COARSE = 6;
  static final int CLOCK_BOOTTIME = 7;
  static final int CLOCK_TAI = 11;

  /** The type bits of a clock of clock_getcpuclockid(3) for the CPU time of a process. */
  private static final int CPUCLOCK_SCHED = 2;

  private static final int CPUCLOCK_BITS = 3;
  private static final int CPUCLOCK_SHIFT = 3;

  private static final int TIMER_ABSTIME = 1;
  private static final int TIMEZONE_SIZE = 8;
  private static final int RUSAGE_SELF = 0;
  private static final int RUSAGE_CHILDREN = -1;
  private static final int RUSAGE_THREAD = 1;

  /** The clock tick of times(2): a hundredth of a second. */
  private static final Duration TICK = Duration.ofMillis(10);

  private static final int TMS_SIZE = 32;
  private static final int TMS_CUTIME = 16;

  private TimeCalls() {}

  /** The time of a clock. */
  static Duration now(Task task, int clock) {
    return switch (clock) {
      case CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI ->
          Duration.between(Instant.EPOCH, Instant.now());
      // System.nanoTime is CLOCK_MONOTONIC on Linux.
      case CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME ->
          Duration.ofNanos(System.nanoTime());
      case CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID -> task.process().cpuTime();
      default -> cpuClock(task, clock);
    };
  }

  private static Duration cpuClock(Task task, int clock) {
    int pid = ~(clock >> CPUCLOCK_SHIFT);
    GuestProcess process = pid == 0 ? task.process() : task.table().process(pid);
    if (clock >= 0 || (clock & CPUCLOCK_BITS) != CPUCLOCK_SCHED || process == null) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return process.cpuTime();
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

  /** clock_settime, clock_gettime(2): not permitted, because the clocks are the host's. */
  static long clockSettime(Task task, Arguments arguments) {
    return -(arguments.integer(0) == CLOCK_REALTIME ? Errno.EPERM : Errno.EINVAL).number();
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

  // ---- CPU time ----

  /** times(2): all CPU time counts as user time. */
  static long times(Task task, Arguments arguments) {
    if (arguments.word(0) != 0) {
      ByteBuffer tms = Struct.allocate(TMS_SIZE);
      tms.putLong(task.process().cpuTime().dividedBy(TICK));
      tms.putLong(TMS_CUTIME, task.process().childrenCpuTime().dividedBy(TICK));
      task.memory().write(arguments.word(0), Struct.bytes(tms));
    }
    return System.nanoTime() / TICK.toNanos();
  }

  /** getrusage(2). */
  static long getrusage(Task task, Arguments arguments) {
    Duration time =
        switch (arguments.integer(0)) {
          case RUSAGE_SELF, RUSAGE_THREAD -> task.process().cpuTime();
          case RUSAGE_CHILDREN -> task.process().childrenCpuTime();
          default -> throw new ErrnoException(Errno.EINVAL);
        };
    task.memory().write(arguments.word(1), Usage.ofCpuTime(time));
    return 0;
  }

  // ---- sleeping ----

  /** nanosleep(2). */
  static long nanosleep(Task task, Arguments arguments) {
    Duration time = Timespec.parse(task.memory().read(arguments.word(0), Timespec.SIZE));
    return sleep(task, time, arguments.word(1));
  }

  /** clock_nanosleep(2). */
  static long clockNanosleep(Task task, Arguments arguments) {
    int clock = arguments.integer(0);
    Duration now = now(task, clock);
    switch (clock) {
      case CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI -> {}
      case CLOCK_THREAD_CPUTIME_ID -> throw new ErrnoException(Errno.EINVAL);
      default -> throw new ErrnoException(Errno.EOPNOTSUPP);
    }
    Duration time = Timespec.parse(task.memory().read(arguments.word(2), Timespec.SIZE));
    return Bits.any(arguments.integer(1), TIMER_ABSTIME)
        ? sleep(task, time.minus(now), 0)
        : sleep(task, time, arguments.word(3));
  }

  /**
   * Sleeps.
   *
   * @param remaining the address for the remaining time if a signal interrupts the sleep; 0 for
   *     none
   */
  private static long sleep(Task task, Duration time, long remaining) {
    long deadline = task.deadlineIn(time);
    try {
      Optional<Void> _ = task.await(List.of(), deadline, Restart.WITHOUT_HANDLER, Optional::empty);
      return 0;
    } catch (InterruptedCallException e) {
      if (remaining != 0) {
        long left = Math.max(0, deadline - System.nanoTime());
        task.memory().write(remaining, Timespec.ofNanos(left));
      }
      throw e;
    }
  }

  /** sched_yield(2). */
  @SuppressWarnings("ThreadPriorityCheck") // the guest asks for it
  static long schedYield(Task task, Arguments arguments) {
    return task.table()
        .lock()
        .released(
            () -> {
              Thread.yield();
              return 0L;
            });
  }
}
