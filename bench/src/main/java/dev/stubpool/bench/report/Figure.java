package dev.stubpool.bench.report;

/** Which of the figures of a {@link Line} a row reports. */
public enum Figure {
  /** The median. */
  P50,
  /** The mean. */
  MEAN;

  /** This figure of a line, in the line's unit; NaN if the line does not have it. */
  double of(Line line) {
    return this == P50 ? line.p50() : line.mean();
  }
}
