package dev.stubpool.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.testing.Effort;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A process of the host exchanges names all the time while a program in the sandbox uses them:
 * swapped.c is both. The program sees what was found under a name, or an error, and never what
 * somebody put in its place; and nobody on the host can make it wait beyond its timeout.
 */
class SwappedNamesIT {
  private static final int TIMED_OUT = 124;
  private static final int ROUNDS = Effort.cases(4_000, 300_000);

  /** A round takes some ten microseconds; a machine may be a hundred times as slow. */
  private static final Duration LIMIT = Duration.ofSeconds(20 + ROUNDS / 1000);

  private static final Outcome NOTHING_LEAKED = new Outcome(0, "seen leaked 0 lost 0\n", "");

  @TempDir private static Path scratch;
  private static Path program;
  private static StubPool pool;

  @TempDir private Path folder;

  /** What the program sees. */
  private Path shown;

  /** What it does not. */
  private Path secret;

  @BeforeAll
  static void open() throws IOException, InterruptedException {
    program = Toolchain.GLIBC.program("swapped.c", scratch);
    pool = StubPool.open(StubPoolOptions.builder().name("kernel").minIdle(1).maxStubs(8).build());
  }

  @AfterAll
  static void close() {
    if (pool != null) {
      pool.close();
    }
  }

  @BeforeEach
  void fill() throws IOException {
    folder = folder.toRealPath();
    shown = Files.createDirectory(folder.resolve("shown"));
    secret = Files.createDirectory(folder.resolve("secret"));
    fill(Files.createDirectory(shown.resolve("d")), "public");
    fill(secret, "secret, and longer");
    Files.writeString(shown.resolve("file"), "public");
  }

  private static void fill(Path directory, String text) throws IOException {
    Files.writeString(directory.resolve("file"), text);
    Files.createSymbolicLink(directory.resolve("link"), Path.of(text));
    Files.writeString(
        Files.createDirectory(directory.resolve("names")).resolve(text.substring(0, 6)), "");
  }

  /** Runs the program on the host until it has begun. */
  private static Process begin(String... words) throws IOException {
    Process process = new ProcessBuilder(Command.of(program, words).words()).start();
    BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
    String said = out.readLine();
    if (!"begun".equals(said)) {
      process.destroyForcibly();
    }
    assumeTrue("begun".equals(said), () -> String.join(" ", words) + " on the host: " + said);
    return process;
  }

  private Outcome run(String... words) throws InterruptedException {
    return new Sandboxed(pool)
        .run(
            Command.of(program, words).directory(shown),
            more -> more.readOnly(List.of(shown)).hide(List.of(secret)).timeout(LIMIT));
  }

  private Outcome runWhileSwapped(Path a, Path b, String what, Path of)
      throws IOException, InterruptedException {
    Process swapper = begin("swap", a.toString(), b.toString());
    try {
      Outcome outcome = run(what, of.toString(), Integer.toString(ROUNDS));
      assertThat(swapper.isAlive()).as("the names were swapped until the end").isTrue();
      return outcome;
    } finally {
      swapper.destroyForcibly().waitFor();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"read", "map", "stat"})
  void shouldNotFollowALinkThatTakesTheNameOfAFile(String what)
      throws IOException, InterruptedException {
    Path link = Files.createSymbolicLink(shown.resolve("other"), secret.resolve("file"));
    Path file = shown.resolve("file");

    assertThat(runWhileSwapped(file, link, what, file)).isEqualTo(NOTHING_LEAKED);
  }

  @ParameterizedTest
  @CsvSource({"read, file", "map, file", "stat, file", "link, link", "list, names"})
  void shouldNotFollowALinkThatTakesTheNameOfADirectory(String what, String of)
      throws IOException, InterruptedException {
    Path link = Files.createSymbolicLink(shown.resolve("other"), secret);
    Path directory = shown.resolve("d");

    assertThat(runWhileSwapped(directory, link, what, directory.resolve(of)))
        .isEqualTo(NOTHING_LEAKED);
  }

  /** To open a FIFO waits for somebody who writes. */
  @ParameterizedTest
  @ValueSource(strings = {"read", "map"})
  void shouldNotWaitForAFifoThatTakesTheNameOfAFile(String what)
      throws IOException, InterruptedException {
    Path fifo = shown.resolve("other");
    Compiler.run(Map.of(), "mkfifo", fifo.toString());
    Path file = shown.resolve("file");

    assertThat(runWhileSwapped(file, fifo, what, file)).isEqualTo(NOTHING_LEAKED);
  }

  /** What is hidden stays so under whatever name it gets. */
  @ParameterizedTest
  @ValueSource(strings = {"read", "map"})
  void shouldNotShowWhatIsHiddenUnderAnotherName(String what)
      throws IOException, InterruptedException {
    Path other = Files.createLink(shown.resolve("other"), secret.resolve("file"));
    secret = secret.resolve("file"); // which is hidden alone
    Path file = shown.resolve("file");

    assertThat(runWhileSwapped(file, other, what, file)).isEqualTo(NOTHING_LEAKED);
  }

  @Test
  void shouldNotOpenAtOnceWhatIsLeased() throws IOException, InterruptedException {
    String file = shown.resolve("file").toString();
    Process holder = begin("lease", file);
    try {
      assertThat(run("opennow", file)).isEqualTo(new Outcome(0, "EAGAIN\n", ""));
    } finally {
      holder.destroyForcibly().waitFor();
    }
    assertThat(run("open", file)).isEqualTo(new Outcome(0, "opened\n", ""));
  }

  /** Its holder need not give a lease back for as long as /proc/sys/fs/lease-break-time says. */
  @Test
  void shouldEndAProgramThatWaitsForALease() throws IOException, InterruptedException {
    String file = shown.resolve("file").toString();
    Process holder = begin("lease", file);
    try {
      long start = System.nanoTime();
      Outcome outcome =
          new Sandboxed(pool)
              .run(
                  Command.of(program, "open", file).directory(shown),
                  more -> more.readOnly(List.of(shown)).timeout(Duration.ofSeconds(1)));

      assertThat(outcome).isEqualTo(new Outcome(TIMED_OUT, "", ""));
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(15));
    } finally {
      holder.destroyForcibly().waitFor();
    }
  }
}
