package dev.stubpool.bench.report;

import java.util.Locale;

/**
 * The bound that a row has to keep.
 *
 * @param most the greatest value that passes
 * @param unit a suffix of the value: empty for a ratio
 */
record Gate(double most, String unit) {
  private static final int MOST_DIGITS = 9;

  /** A bound on the ratio to the floor. */
  static Gate ofRatio(double most) {
    return new Gate(most, "");
  }

  /** A bound on the time, in microseconds. */
  static Gate ofMicros(double most) {
    return new Gate(most, " us");
  }

  boolean isOfTime() {
    return !unit.isEmpty();
  }

  /** Whether a value keeps the bound. One that was not measured (NaN) does not. */
  boolean passes(double value) {
    return value <= most;
  }

  /** The bound as the report shows it. */
  String text() {
    return "<= " + Numbers.plain(most) + unit;
  }

  /** The value beside the bound that it missed, with as many digits as show the difference. */
  String missed(double value) {
    if (Double.isNaN(value)) {
      return "missed: not measured";
    }
    String shown;
    int digits = 2;
    do {
      shown = String.format(Locale.ROOT, "%." + digits++ + "f", value);
    } while (Double.parseDouble(shown) <= most && digits <= MOST_DIGITS);
    return "missed: " + shown + unit + " > " + Numbers.plain(most) + unit;
  }
}
