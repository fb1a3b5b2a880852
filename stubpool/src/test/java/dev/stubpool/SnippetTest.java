package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.stubpool.testing.Javac;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The Java code in README.md and docs/: all of it compiles. */
class SnippetTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path README = ROOT.resolve("README.md");
  private static final Path EXAMPLE =
      ROOT.resolve("examples/embedding/src/main/java/embedding/Embedding.java");
  private static final String CLASS = "Snippet";

  /** What snippets leave out: imports, and what the reader's own program has. In one line. */
  private static final String BEFORE =
      """
      import module java.base;
      import static java.lang.foreign.ValueLayout.*;
      import dev.stubpool.*;
      import dev.stubpool.abi.*;
      import dev.stubpool.seccomp.*;
      import dev.stubpool.seccomp.bpf.*;
      import dev.stubpool.seccomp.compiler.*;
      abstract class Snippet {
        interface Kernel {
          long serve(Trap.SystemCall call, StubMemory memory);
          void signal(Trap.Fault fault, Guest guest);
        }
        Kernel kernel; Stub stub; long entry; long top;
        void snippet() throws Exception {
      """
          .replace('\n', ' ');

  @TempDir private Path folder;

  @TestFactory
  Stream<DynamicTest> shouldCompile() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (Path document : documents()) {
      List<String> lines = Files.readAllLines(document);
      for (int i = 0; i < lines.size(); i++) {
        if (lines.get(i).strip().equals("```java")) {
          int fence = i;
          String name = ROOT.relativize(document) + ":" + (fence + 1);
          tests.add(dynamicTest(name, () -> compile(document, lines, fence)));
        }
      }
    }
    assertThat(tests).hasSizeGreaterThanOrEqualTo(3);
    return tests.stream();
  }

  /** The example in the README is the embedding project's, which has a test of its own. */
  @Test
  void shouldShowTheExampleAsItIs() throws IOException {
    String example = Files.readString(EXAMPLE);
    String body =
        example.substring(example.indexOf("    try (StubPool"), example.lastIndexOf("  }\n}"));
    assertThat(Files.readString(README)).contains(body.stripTrailing().stripIndent());
  }

  private static List<Path> documents() throws IOException {
    try (Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
      return Stream.concat(Stream.of(README), docs.filter(path -> path.toString().endsWith(".md")))
          .toList();
    }
  }

  /** Each line of the snippet has the number that it has in the document. */
  private void compile(Path document, List<String> lines, int fence) throws IOException {
    int end = fence + 1;
    while (!lines.get(end).strip().equals("```")) {
      end++;
    }
    Path source = folder.resolve(CLASS + ".java");
    Files.writeString(
        source,
        "\n".repeat(fence)
            + BEFORE
            + "\n"
            + String.join("\n", lines.subList(fence + 1, end))
            + "\n}}\n");

    String printed = Javac.compile(folder, List.of("-Xlint:-options"), List.of(source));

    assertThat(printed.replace(source.toString(), ROOT.relativize(document).toString())).isEmpty();
  }
}
