package dev.stubpool.bench.report;

import dev.stubpool.bench.report.Samples.Side;
import java.util.List;
import java.util.Optional;

/** Rows and what was measured of them. */
final class Fixtures {
  private Fixtures() {}

  static RowSpec row(String name, String floor, Gate gate) {
    return new RowSpec(
        name,
        Group.INJECTION,
        new Run.Benchmark("SomeBenchmark", name, 0, List.of()),
        Figure.P50,
        floor,
        Figure.P50,
        Optional.ofNullable(gate),
        "");
  }

  /** Adds a median for each round. */
  static void measured(Samples samples, Side side, String row, double... p50) {
    for (int round = 0; round < p50.length; round++) {
      samples.add(side, round, row, new Line(row, p50[round], Double.NaN));
    }
  }

  /** A row that was measured once, beside a floor of 10 us. */
  static Result result(String name, Gate gate, double time) {
    Samples samples = new Samples(1);
    measured(samples, Side.JAVA, name, time);
    measured(samples, Side.FLOOR, name, 10);
    return Result.besideFloor(row(name, name, gate), samples);
  }

  /** Conditions on a machine where the hypervisor took away so many percent of the CPU. */
  static Conditions conditions(double stolen) {
    return new Conditions(
        "2026-01-02 03:04 UTC",
        "bench/run",
        "abcdef0",
        "1",
        0.1,
        1,
        stolen,
        1,
        60,
        false,
        List.of());
  }
}
