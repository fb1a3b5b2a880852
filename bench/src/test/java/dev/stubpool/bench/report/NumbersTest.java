package dev.stubpool.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NumbersTest {
  @Test
  void shouldTakeTheMedian() {
    assertThat(Numbers.median(3, 1, 100)).isEqualTo(3);
    assertThat(Numbers.median(4, 1, 2, 100)).isEqualTo(3);
    assertThat(Numbers.median(Double.NaN, 5)).isEqualTo(5);
    assertThat(Numbers.median()).isNaN();
  }

  @Test
  void shouldShowTheDigitsThatMatter() {
    assertThat(Numbers.show(0.0434)).isEqualTo("0.043");
    assertThat(Numbers.show(8.66)).isEqualTo("8.7");
    assertThat(Numbers.show(3881.4)).isEqualTo("3881");
    assertThat(Numbers.show(Double.NaN)).isEmpty();
    assertThat(Numbers.grouped(3881.4)).isEqualTo("3,881");
    assertThat(Numbers.plain(15_000)).isEqualTo("15000");
    assertThat(Numbers.plain(1.25)).isEqualTo("1.25");
  }
}
