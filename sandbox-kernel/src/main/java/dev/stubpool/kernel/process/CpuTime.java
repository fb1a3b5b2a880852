package dev.stubpool.kernel.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** How long a stub had a CPU, proc_pid_stat(5): to a hundredth of a second. */
final class CpuTime {
  private static final int UTIME = 11; // counted from the state, which follows the name
  private static final int STIME = 12;
  private static final int MILLIS_IN_TICK = 10;

  private CpuTime() {}

  /** That of a stub; nothing if it is gone. */
  static Duration of(int pid) {
    try {
      String stat = Files.readString(Path.of("/proc", Integer.toString(pid), "stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      long ticks = Long.parseLong(fields[UTIME]) + Long.parseLong(fields[STIME]);
      return Duration.ofMillis(ticks * MILLIS_IN_TICK);
    } catch (IOException _) {
      return Duration.ZERO;
    }
  }
}
