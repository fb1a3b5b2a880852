package dev.stubpool.bench.report;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Locale;

/** Statistics, and how numbers are written. */
final class Numbers {
  private Numbers() {}

  /** The median, of an even count the mean of the two in the middle. Values of NaN are left out. */
  static double median(double... values) {
    double[] sorted = Arrays.stream(values).filter(x -> !Double.isNaN(x)).sorted().toArray();
    int half = sorted.length / 2;
    if (sorted.length == 0) {
      return Double.NaN;
    }
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  /** Three significant digits or the whole number; empty for NaN. */
  static String show(double value) {
    if (Double.isNaN(value)) {
      return "";
    }
    return String.format(Locale.ROOT, value < 1 ? "%.3f" : value < 1000 ? "%.1f" : "%.0f", value);
  }

  /** As {@link #show}, the thousands grouped. */
  static String grouped(double value) {
    return value < 1000 || Double.isNaN(value)
        ? show(value)
        : String.format(Locale.ROOT, "%,.0f", value);
  }

  static String ratio(double value) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.2f", value);
  }

  /** No more digits than the number has. */
  static String plain(double value) {
    return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
  }
}
