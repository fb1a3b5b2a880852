package dev.stubpool.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class DistributionTest {
  @Test
  void shouldTakeTheNearestRank() {
    long[] nanos = LongStream.rangeClosed(1, 200).map(i -> (201 - i) * 1000).toArray();

    assertThat(Distribution.ofNanos(nanos)).isEqualTo(new Distribution(100, 180, 198, 1));
  }

  @Test
  void shouldTakeTheOnlyValueForAll() {
    assertThat(Distribution.ofNanos(new long[] {1500}))
        .isEqualTo(new Distribution(1.5, 1.5, 1.5, 1.5));
  }
}
