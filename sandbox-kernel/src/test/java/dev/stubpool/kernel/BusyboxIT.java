package dev.stubpool.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What busybox does in the kernel is what it does on the host, to the byte. */
class BusyboxIT {
  private static final Path BUSYBOX = Path.of("/bin/busybox");
  private static final String INPUT = "one\ntwo\n\nfour\tfive\n  six seven\none\n";

  /** Where scripts have their files: in the kernel's own /tmp and in that of the host. */
  private static final Path DIRECTORY = Path.of("/tmp/busybox-" + ProcessHandle.current().pid());

  private static StubPool pool;

  @BeforeAll
  static void open() throws InterruptedException {
    assumeTrue(Files.isExecutable(BUSYBOX), () -> "there is no " + BUSYBOX);
    pool =
        StubPool.open(StubPoolOptions.builder().name("kernel").minIdle(1).maxStubs(1500).build());
    try {
      new Sandboxed(pool).run(Command.of(BUSYBOX, "true"));
    } catch (ProgramException e) {
      assumeTrue(!e.getMessage().contains("dynamically linked"), e.getMessage());
    }
  }

  @AfterAll
  static void close() {
    if (pool != null) {
      pool.close();
    }
  }

  @AfterEach
  void removeTheHostsFiles() throws IOException {
    if (Files.exists(DIRECTORY)) {
      try (Stream<Path> files = Files.walk(DIRECTORY)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  /** The paragraphs of busybox.txt. */
  static List<String> commands() throws IOException {
    return Stream.of(Files.readString(Toolchain.resource("busybox.txt")).split("\n\n"))
        .map(
            text ->
                text.lines()
                    .filter(Predicate.not(line -> line.startsWith("## ")))
                    .collect(Collectors.joining("\n"))
                    .strip())
        .filter(Predicate.not(String::isEmpty))
        .toList();
  }

  private static Command command(String text) {
    Command command =
        text.startsWith("busybox ")
            ? Command.of(BUSYBOX, text.substring("busybox ".length()).split(" ", -1))
            : Command.of(BUSYBOX, "sh", "-c", script(text));
    return command.environment("PATH=/no/path", "HOME=/", "TZ=UTC0").input(INPUT);
  }

  private static String script(String text) {
    return "mkdir DIRECTORY && cd DIRECTORY || exit 99\n".replace("DIRECTORY", "" + DIRECTORY)
        + text;
  }

  @ParameterizedTest
  @MethodSource("commands")
  void shouldDoWhatItDoesOnTheHost(String text) throws IOException, InterruptedException {
    Outcome expected = Native.run(command(text));

    Outcome outcome = new Sandboxed(pool).run(command(text));

    assertThat(outcome).isEqualTo(expected);
  }
}
