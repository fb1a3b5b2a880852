package dev.stubpool.cli.demo;

import java.util.Arrays;
import java.util.Locale;

/** Percentiles of durations, in microseconds. */
record Distribution(double p50, double p90, double p99, double min) {
  private static final double NANOS_A_MICRO = 1e3;

  static Distribution ofNanos(long[] nanos) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    return new Distribution(
        percentile(sorted, 50),
        percentile(sorted, 90),
        percentile(sorted, 99),
        micros((double) sorted[0]));
  }

  static double medianNanos(long[] nanos) {
    return ofNanos(nanos).p50() * NANOS_A_MICRO;
  }

  static double micros(double nanos) {
    return nanos / NANOS_A_MICRO;
  }

  /** By the nearest rank: a value that was measured. */
  private static double percentile(long[] sorted, int percent) {
    int rank = Math.ceilDiv(sorted.length * percent, 100);
    return micros((double) sorted[rank - 1]);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT, "p50 %.1f us, p90 %.1f, p99 %.1f, min %.1f", p50, p90, p99, min);
  }
}
