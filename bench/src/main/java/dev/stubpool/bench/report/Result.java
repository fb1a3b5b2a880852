package dev.stubpool.bench.report;

import dev.stubpool.bench.report.Samples.Side;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * What came out for a row. Numbers are NaN where nothing was measured.
 *
 * @param row the row's name
 * @param reference the median time of what the row is compared with
 * @param time the row's median time
 * @param ratio the second to the first
 * @param least the least ratio of a single round
 * @param most the greatest
 * @param gate the bound
 */
record Result(
    String row,
    double reference,
    double time,
    double ratio,
    double least,
    double most,
    Optional<Gate> gate) {

  /** How much slower than another checkout a gated row may be: 3 %. */
  static final Gate AGAINST = Gate.ofRatio(1.03);

  /** Compares a row with its floor: the ratio is that of the two medians. */
  static Result besideFloor(RowSpec row, Samples samples) {
    double[] java = samples.figures(Side.JAVA, row.name(), row.figure());
    double[] floor = samples.figures(Side.FLOOR, row.floor(), row.floorFigure());
    return of(row, floor, java, Numbers.median(java) / Numbers.median(floor), row.gate());
  }

  /**
   * Compares a row with that of another checkout. The ratio is the median of those of the single
   * rounds: what drifts from round to round has then no part in it.
   */
  static Result against(RowSpec row, Samples samples) {
    double[] here = samples.figures(Side.JAVA, row.name(), row.figure());
    double[] other = samples.figures(Side.OTHER, row.name(), row.figure());
    double ratio = Numbers.median(ratios(here, other));
    return of(row, other, here, ratio, row.gate().map(gate -> AGAINST));
  }

  private static Result of(
      RowSpec row, double[] reference, double[] times, double ratio, Optional<Gate> gate) {
    double[] ratios =
        Arrays.stream(ratios(times, reference)).filter(x -> !Double.isNaN(x)).sorted().toArray();
    return new Result(
        row.name(),
        Numbers.median(reference),
        Numbers.median(times),
        ratio,
        ratios.length == 0 ? Double.NaN : ratios[0],
        ratios.length == 0 ? Double.NaN : ratios[ratios.length - 1],
        gate);
  }

  private static double[] ratios(double[] times, double[] reference) {
    double[] ratios = new double[times.length];
    Arrays.setAll(ratios, i -> times[i] / reference[i]);
    return ratios;
  }

  private double gated(Gate bound) {
    return bound.isOfTime() ? time : ratio;
  }

  /** Whether the row has missed its gate. */
  boolean missed() {
    return gate.isPresent() && !gate.get().passes(gated(gate.get()));
  }

  /** The gate's outcome, in words; empty if there is no gate. */
  String verdict() {
    return gate.map(bound -> missed() ? bound.missed(gated(bound)) : "pass").orElse("");
  }

  /** The ratios of the single rounds, from the least to the greatest; empty if there are none. */
  String range() {
    return Double.isNaN(least) ? "" : String.format(Locale.ROOT, "%.2f-%.2f", least, most);
  }
}
