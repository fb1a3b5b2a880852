package dev.stubpool.bench;

import java.util.Arrays;
import java.util.Locale;

/** The line of JSON that a program prints for a row, as the C floors print theirs. */
public final class FloorLine {
  private FloorLine() {}

  /**
   * Prints the median and the least of some samples.
   *
   * @param unit of the samples, such as "us"
   * @param samples at least one; unchanged
   */
  public static void print(String name, String unit, double[] samples) {
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    System.out.printf(
        Locale.ROOT,
        "{\"name\":\"%s\",\"unit\":\"%s\",\"n\":%d,\"p50\":%.3f,\"min\":%.3f}%n",
        name,
        unit,
        sorted.length,
        sorted[sorted.length / 2],
        sorted[0]);
  }
}
