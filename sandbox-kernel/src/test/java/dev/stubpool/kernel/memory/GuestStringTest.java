package dev.stubpool.kernel.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GuestStringTest {
  @Test
  void shouldBeUtf8() {
    for (String text : new String[] {"", "plain", "grün", "\u20ac", "\ud83d\ude00!"}) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      assertThat(GuestString.of(bytes)).isEqualTo(text);
      assertThat(GuestString.bytes(text)).isEqualTo(bytes);
    }
  }

  @Test
  void shouldKeepAllBytes() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = new byte[random.nextInt(8)];
      random.nextBytes(bytes);
      assertThat(GuestString.bytes(GuestString.of(bytes))).as("seed %d", seed).isEqualTo(bytes);
    }
  }
}
