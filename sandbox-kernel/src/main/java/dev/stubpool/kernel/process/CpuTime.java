package dev.stubpool.kernel.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** The CPU time of a stub, proc_pid_stat(5), with a resolution of 10 ms. */
final class CpuTime {
  private static final int UTIME = 11; // index of utime, where the state after the name is 0
  private static final int STIME = 12;
  private static final int MILLIS_IN_TICK = 10;

  private CpuTime() {}

  /** The CPU time of a stub; zero if it is gone. */
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
