package dev.stubpool.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HumanTimeTest {
  @ParameterizedTest
  @CsvSource({
    "PT0S, 0.0s",
    "PT3.299S, 3.2s",
    "PT59.999S, 59.9s",
    "PT60S, 1m00s",
    "PT4M10.9S, 4m10s",
    "PT59M59.9S, 59m59s",
    "PT5H7M59S, 5h07m",
    "PT24H, 1d00h",
    "P400DT3H59M, 400d03h"
  })
  void shouldTellTwoUnits(Duration time, String text) {
    assertThat(HumanTime.of(time)).isEqualTo(text);
  }
}
