package dev.stubpool.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineReaderTest {
  @Test
  void shouldReadWhatAFloorPrints() {
    String printed =
        """
        pinned to CPU 1
        {"name":"injection","unit":"us","n":4000,"mean":9.871,"p50":8.664,"p90":9.1,"p99":20,"min":8.1}
        {"name":"compile_race_cold","unit":"us","n":1,"p50":12,"length":129}
        """;

    assertThat(LineReader.read(printed))
        .containsExactly(
            new Line("injection", 8.664, 9.871), new Line("compile_race_cold", 12, Double.NaN));
  }

  @Test
  void shouldReadWhatItPrints() {
    List<Line> lines =
        List.of(new Line("a", 0.043125, 0.044), new Line("b", Double.NaN, 54.912345));

    assertThat(lines)
        .allSatisfy(line -> assertThat(LineReader.read(line.toJson())).containsExactly(line));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"name\":\"cut\",\"p50\":",
        "{\"name\":\"word\",\"p50\":\"fast\"}",
        "{\"name\":\"without figures\",\"n\":3}",
        "{\"p50\":3}",
        "{}"
      })
  void shouldRefuseAnObjectThatIsNoLine(String text) {
    assertThatThrownBy(() -> LineReader.read(text))
        .isInstanceOf(BenchException.class)
        .hasMessageContaining(text);
  }
}
