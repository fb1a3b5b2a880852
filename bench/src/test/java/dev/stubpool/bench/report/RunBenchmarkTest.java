package dev.stubpool.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.ResultRole;
import org.openjdk.jmh.results.SampleTimeResult;
import org.openjdk.jmh.results.ThroughputResult;
import org.openjdk.jmh.util.SampleBuffer;

class RunBenchmarkTest {
  @Test
  void shouldReportMedianAndMeanOfSingleCalls() {
    SampleBuffer nanos = new SampleBuffer();
    nanos.add(100);
    nanos.add(200);
    nanos.add(600);

    Line line =
        RunBenchmark.line(
            "row",
            Mode.SampleTime,
            new SampleTimeResult(ResultRole.PRIMARY, "row", nanos, TimeUnit.MICROSECONDS));

    assertThat(line.p50()).isEqualTo(0.2, within(1e-9));
    assertThat(line.mean()).isEqualTo(0.3, within(1e-9));
  }

  @Test
  void shouldReportAThroughputAsTheMeanTimeOfOneOperation() {
    double operations = 50;
    long nanos = 200_000;

    Line line =
        RunBenchmark.line(
            "row",
            Mode.Throughput,
            new ThroughputResult(
                ResultRole.PRIMARY, "row", operations, nanos, TimeUnit.MICROSECONDS));

    assertThat(line.mean()).isEqualTo(4, within(1e-9));
    assertThat(line.p50()).isNaN();
  }
}
