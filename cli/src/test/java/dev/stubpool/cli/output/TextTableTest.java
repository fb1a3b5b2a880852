package dev.stubpool.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.cli.output.TextTable.Column;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class TextTableTest {
  private final TextTable table =
      new TextTable(Column.number("PID"), Column.text("STATE"), Column.text("POOL"));

  @Test
  void shouldAlignNumbersToTheRightAndTextToTheLeft() {
    table.add(List.of("1", "resetting", "a pool"));
    table.add(List.of("32768", "-", "b"));

    assertThat(printed())
        .isEqualTo(
            """
              PID STATE     POOL
                1 resetting a pool
            32768 -         b
            """);
  }

  @Test
  void shouldPrintTheHeaderOfAnEmptyTable() {
    assertThat(printed()).isEqualTo("PID STATE POOL\n");
  }

  private String printed() {
    StringWriter text = new StringWriter();
    table.print(new PrintWriter(text));
    return text.toString();
  }
}
