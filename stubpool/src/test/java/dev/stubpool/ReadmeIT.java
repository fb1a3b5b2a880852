package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.support.ChildJvm;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example in the README is the embedding project's, and it does what it says. */
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

  @Test
  void shouldCompileAndRunTheExample(@TempDir Path classes) {
    String classPath = ChildJvm.classPath();
    ChildJvm.Outcome compiled =
        ChildJvm.run(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "javac").toString(),
                "-cp",
                classPath,
                "-d",
                classes.toString(),
                EXAMPLE.toString()));
    assertThat(compiled.status()).as(compiled.output()).isZero();
    List<String> command =
        new ArrayList<>(
            ChildJvm.command(
                List.of("--enable-native-access=ALL-UNNAMED"),
                classes + File.pathSeparator + classPath,
                ReadmeIT.class));
    command.set(command.size() - 1, "embedding.Embedding");
    ChildJvm.Outcome outcome = ChildJvm.run(command);
    assertThat(outcome.status()).as(outcome.output()).isZero();
    assertThat(outcome.output())
        .containsPattern("the stub sees 42\nit is process (\\d+), which is \\1\n");
  }
}
