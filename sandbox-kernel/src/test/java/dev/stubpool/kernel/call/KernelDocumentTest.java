package dev.stubpool.kernel.call;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** docs/kernel.md names the calls that there are. */
class KernelDocumentTest {
  @Test
  void shouldNameAllCalls() throws IOException {
    String text = Files.readString(Path.of("..", "docs", "kernel.md"));
    String list = text.substring(text.indexOf("## System calls"));
    List<String> named =
        list.lines()
            .filter(line -> line.startsWith("    "))
            .flatMap(line -> Arrays.stream(line.strip().split(" ", -1)))
            .toList();

    assertThat(named).containsExactlyElementsOf(new SystemCallTable(_ -> {}, null, null).names());
  }
}
