package dev.stubpool.bench.report;

import static dev.stubpool.bench.report.Fixtures.measured;
import static dev.stubpool.bench.report.Fixtures.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.stubpool.bench.report.Samples.Side;
import org.junit.jupiter.api.Test;

class ResultTest {
  private static final double EXACTLY = 1e-9;

  private final Samples samples = new Samples(3);

  @Test
  void shouldCompareMediansAndTellTheRangeOfTheRounds() {
    measured(samples, Side.JAVA, "row", 12, 30, 11);
    measured(samples, Side.FLOOR, "row", 10, 10, 20);

    Result result = Result.besideFloor(row("row", "row", Gate.ofRatio(1.25)), samples);

    assertThat(result.reference()).isEqualTo(10);
    assertThat(result.time()).isEqualTo(12);
    assertThat(result.ratio()).isEqualTo(1.2, within(EXACTLY));
    assertThat(result.range()).isEqualTo("0.55-3.00");
    assertThat(result.missed()).isFalse();
    assertThat(result.verdict()).isEqualTo("pass");
  }

  @Test
  void shouldMissAGateOfARatio() {
    measured(samples, Side.JAVA, "row", 12.9);
    measured(samples, Side.FLOOR, "row", 10);

    Result result = Result.besideFloor(row("row", "row", Gate.ofRatio(1.25)), samples);

    assertThat(result.missed()).isTrue();
    assertThat(result.verdict()).isEqualTo("missed: 1.29 > 1.25");
  }

  @Test
  void shouldShowByHowLittleAGateWasMissed() {
    assertThat(Gate.ofRatio(1.25).missed(1.25001)).isEqualTo("missed: 1.25001 > 1.25");
  }

  @Test
  void shouldMissAGateOfATime() {
    measured(samples, Side.JAVA, "row", 0.31);

    Result result = Result.besideFloor(row("row", "", Gate.ofMicros(0.2)), samples);

    assertThat(result.verdict()).isEqualTo("missed: 0.31 us > 0.2 us");
    assertThat(result.ratio()).isNaN();
    assertThat(result.range()).isEmpty();
  }

  @Test
  void shouldMissAGateWhoseFloorWasNotMeasured() {
    measured(samples, Side.JAVA, "row", 1);

    Result result = Result.besideFloor(row("row", "row", Gate.ofRatio(1.25)), samples);

    assertThat(result.missed()).isTrue();
    assertThat(result.verdict()).isEqualTo("missed: not measured");
  }

  @Test
  void shouldCompareCheckoutsRoundByRound() {
    // Times drift: the ratio of the medians would be 2.
    measured(samples, Side.JAVA, "row", 10, 20, 41);
    measured(samples, Side.OTHER, "row", 10, 10, 40);

    Result result = Result.against(row("row", "", Gate.ofMicros(100)), samples);

    assertThat(result.ratio()).isEqualTo(1.025, within(EXACTLY));
    assertThat(result.range()).isEqualTo("1.00-2.00");
    assertThat(result.verdict()).isEqualTo("pass");
  }

  @Test
  void shouldMarkAGatedRowThatBecameSlower() {
    measured(samples, Side.JAVA, "row", 10.4);
    measured(samples, Side.OTHER, "row", 10);

    assertThat(Result.against(row("row", "", Gate.ofRatio(2)), samples).verdict())
        .isEqualTo("missed: 1.04 > 1.03");
    assertThat(Result.against(row("row", "", null), samples).verdict()).isEmpty();
  }

  @Test
  void shouldRefuseToMeasureARowTwiceInARound() {
    measured(samples, Side.JAVA, "row", 1);

    assertThatThrownBy(() -> measured(samples, Side.JAVA, "row", 1))
        .isInstanceOf(BenchException.class)
        .hasMessageContaining("row");
  }
}
