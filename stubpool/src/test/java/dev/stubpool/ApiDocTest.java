package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.testing.Javac;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The API is documented in full: parameters, results, exceptions. The build itself checks the
 * comments that are there, of all packages (-Xdoclint:all,-missing); javac cannot ask more of some
 * packages than of others.
 */
class ApiDocTest {
  @Test
  void shouldDocumentAllOfTheApi(@TempDir Path folder) throws IOException {
    List<Path> sources;
    try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/stubpool"))) {
      sources = files.filter(file -> file.toString().endsWith(".java")).toList();
    }
    assertThat(sources).hasSizeGreaterThan(10);

    String printed =
        Javac.compile(folder, List.of("-Xdoclint:all/protected", "-Xmaxwarns", "1000"), sources);

    assertThat(printed).isEmpty();
  }
}
