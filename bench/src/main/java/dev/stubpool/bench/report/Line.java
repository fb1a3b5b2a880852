package dev.stubpool.bench.report;

import java.util.Locale;

/**
 * A line that a floor, a peer or a benchmark prints for one thing that it has measured: a JSON
 * object on a line of its own.
 *
 * @param name what was measured
 * @param p50 the median, in the row's unit (microseconds, or microseconds per MiB); NaN if the line
 *     has none
 * @param mean the mean in the same unit; NaN if the line has none
 */
record Line(String name, double p50, double mean) {
  /** The line as it is printed, with the digits that a comparison of nanoseconds needs. */
  String toJson() {
    StringBuilder json =
        new StringBuilder("{\"name\":\"").append(name).append("\",\"unit\":\"us\"");
    append(json, "p50", p50);
    append(json, "mean", mean);
    return json.append('}').toString();
  }

  private static void append(StringBuilder json, String key, double value) {
    if (!Double.isNaN(value)) {
      json.append(String.format(Locale.ROOT, ",\"%s\":%.6f", key, value));
    }
  }
}
