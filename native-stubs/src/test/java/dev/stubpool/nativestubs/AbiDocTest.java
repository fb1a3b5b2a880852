package dev.stubpool.nativestubs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.stubpool.testing.Javac;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The generated package that users see is documented in full; so is stubpool's API. */
class AbiDocTest {
  private static final String PACKAGE = "dev/stubpool/abi";
  private static final Path GENERATED = Path.of("target/generated-sources/native", PACKAGE);

  @Test
  void shouldDocumentAllOfTheAbi(@TempDir Path folder) throws IOException {
    assumeTrue(Files.isDirectory(GENERATED), () -> GENERATED + " is missing: built without Maven");
    List<Path> sources = new ArrayList<>();
    try (Stream<Path> files = Files.list(GENERATED)) {
      files.forEach(sources::add);
    }
    assertThat(sources).isNotEmpty();
    sources.add(Path.of("src/main/java", PACKAGE, "package-info.java"));

    String printed =
        Javac.compile(folder, List.of("-Xdoclint:all/protected", "-Xmaxwarns", "1000"), sources);

    assertThat(printed).isEmpty();
  }
}
