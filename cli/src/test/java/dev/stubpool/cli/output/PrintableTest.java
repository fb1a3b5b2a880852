package dev.stubpool.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PrintableTest {
  @Test
  void shouldReplaceWhatATerminalObeys() {
    assertThat(Printable.of("a\tb\u001b[31m\u009b2J\u202ec\nd\u2028e"))
        .isEqualTo("a?b?[31m?2J?c?d?e");
    assertThat(Printable.of("Pool für Gäste 数")).isEqualTo("Pool für Gäste 数");
  }
}
