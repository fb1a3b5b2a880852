package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The example in the README is the embedding project's, which has a test of its own. */
class ReadmeIT {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path EXAMPLE =
      ROOT.resolve("examples/embedding/src/main/java/embedding/Embedding.java");

  @Test
  void shouldShowTheExampleAsItIs() throws IOException {
    String example = Files.readString(EXAMPLE);
    String body =
        example.substring(example.indexOf("    try (StubPool"), example.lastIndexOf("  }\n}"));
    assertThat(Files.readString(ROOT.resolve("README.md")))
        .contains(body.stripTrailing().stripIndent());
  }
}
