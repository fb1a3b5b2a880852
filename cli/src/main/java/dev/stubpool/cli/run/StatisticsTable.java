package dev.stubpool.cli.run;

import dev.stubpool.kernel.Statistics;
import java.io.PrintWriter;
import java.time.Duration;

/** The output of {@code --stats}, in the style of {@code strace -c}. */
final class StatisticsTable {
  private static final double NANOS_IN_MICRO = 1000;

  private StatisticsTable() {}

  static void print(PrintWriter err, Statistics statistics) {
    err.printf("%10s %10s %12s %10s  %s%n", "calls", "errors", "total us", "us/call", "call");
    for (Statistics.Call call : statistics.calls()) {
      err.printf(
          "%10d %10d %12.0f %10.1f  %s%n",
          call.count(),
          call.errors(),
          micros(call.time()),
          micros(call.time()) / call.count(),
          call.name());
    }
    err.printf(
        "%d calls, %d other traps, %d processes in %d stubs, %.3f s%n",
        statistics.calls().stream().mapToLong(Statistics.Call::count).sum(),
        statistics.otherTraps(),
        statistics.processes(),
        statistics.stubs(),
        statistics.time().toNanos() / 1e9);
    err.flush();
  }

  private static double micros(Duration time) {
    return time.toNanos() / NANOS_IN_MICRO;
  }
}
