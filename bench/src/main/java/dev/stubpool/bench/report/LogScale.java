package dev.stubpool.bench.report;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A logarithmic scale of whole decades, so that every line of its grid is a power of ten.
 *
 * @param low the power of ten where it begins
 * @param high where it ends
 */
record LogScale(int low, int high) {
  private static final double ROUNDING = 1e-6;

  /**
   * A scale that holds all these values but those that are not positive, or NaN.
   *
   * @param below how many times less than the least value it begins, at least
   * @return empty if there is no value
   */
  static Optional<LogScale> of(double below, double... values) {
    double[] positive = Arrays.stream(values).filter(x -> x > 0).sorted().toArray();
    if (positive.length == 0) {
      return Optional.empty();
    }
    int low = (int) Math.floor(Math.log10(positive[0] / below) + ROUNDING);
    int high = (int) Math.ceil(Math.log10(positive[positive.length - 1]) - ROUNDING);
    return Optional.of(new LogScale(low, Math.max(high, low + 1)));
  }

  /** Where a value lies: 0 at the beginning, 1 at the end. */
  double at(double value) {
    return (Math.log10(value) - low) / (high - low);
  }

  /** The powers of ten that are the lines of the grid. */
  int[] decades() {
    return IntStream.rangeClosed(low, high).toArray();
  }

  /** A power of ten as it is written beside its line. */
  static String label(int decade) {
    return decade < 0
        ? "0." + "0".repeat(-decade - 1) + "1"
        : Numbers.grouped(Math.pow(10, decade)).replaceFirst("\\.0$", "");
  }
}
