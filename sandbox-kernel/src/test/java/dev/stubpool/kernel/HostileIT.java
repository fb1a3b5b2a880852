package dev.stubpool.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.StubPoolStats;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Nothing that a program does outlasts it: hostile.c takes all that it can get, and does what makes
 * no sense. After each the pool is whole, the host is as it was, and another program runs.
 */
class HostileIT {
  private static final int TIMED_OUT = 124;
  private static final long MEBIBYTE = 1 << 20;
  private static final LinkOption NO_LINKS = LinkOption.NOFOLLOW_LINKS;

  @TempDir private static Path scratch;

  /** A directory of the host that the program sees and works in. */
  private static Path visible;

  private static Map<String, String> before;
  private static Path program;
  private static StubPool pool;

  @BeforeAll
  static void open() throws IOException, InterruptedException {
    visible = Files.createDirectories(scratch.resolve("visible/x/y")).getParent().getParent();
    Files.writeString(visible.resolve("file"), "as it was");
    Files.writeString(visible.resolve("x/file"), "this one, too");
    Files.createSymbolicLink(visible.resolve("link"), Path.of("x/file"));
    before = contents();
    program = Toolchain.GLIBC.program("hostile.c", scratch);
    pool =
        StubPool.open(StubPoolOptions.builder().name("kernel").minIdle(1).maxStubs(1500).build());
  }

  @AfterAll
  static void close() {
    if (pool != null) {
      pool.close();
    }
  }

  /** What it may have unless a test is about just that. */
  private static Program.Builder bounded(Program.Builder program) {
    return program.memory(256 * MEBIBYTE).processes(32).timeout(Duration.ofSeconds(20));
  }

  private static Command command(String words) {
    return Command.of(program, words.split(" ")).environment("HOSTILE=yes").directory(visible);
  }

  private static Outcome run(String words, UnaryOperator<Program.Builder> more)
      throws InterruptedException {
    return new Sandboxed(pool).run(command(words), more);
  }

  @AfterEach
  void shouldLeaveAllAsItWas() throws IOException, InterruptedException {
    long limit = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!isWhole() && System.nanoTime() < limit) {
      Thread.sleep(10);
    }
    assertThat(pool.stats().leased()).isZero();
    assertThat(children()).as("children, %s", pool).isEqualTo(stubs());
    assertThat(contents()).isEqualTo(before);
    assertThat(run("unheard of", HostileIT::bounded)).isEqualTo(new Outcome(99, "", ""));
  }

  private static boolean isWhole() {
    return pool.stats().leased() == 0 && children() == stubs();
  }

  private static long children() {
    return ProcessHandle.current().children().count();
  }

  /** The processes of the pool, its source among them. */
  private static long stubs() {
    StubPoolStats stats = pool.stats();
    return (long) stats.total() + (pool.sourcePid() == 0 ? 0 : 1);
  }

  /** All files of the visible directory, by path. */
  private static Map<String, String> contents() throws IOException {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(visible)) {
      for (Path file : files.toList()) {
        Map<String, Object> attributes =
            Files.readAttributes(
                file, "unix:mode,ino,nlink,size,uid,gid,lastModifiedTime,ctime", NO_LINKS);
        String text = Files.isRegularFile(file, NO_LINKS) ? Files.readString(file) : "";
        contents.put(file.toString(), new TreeMap<>(attributes) + text);
      }
    }
    return contents;
  }

  @ParameterizedTest
  @ValueSource(strings = {"loop", "forks"})
  void shouldEndWhatDoesNotEnd(String words) throws InterruptedException {
    long start = System.nanoTime();

    Outcome outcome = run(words, limits -> limits.processes(16).timeout(Duration.ofSeconds(2)));

    assertThat(outcome.status()).isEqualTo(TIMED_OUT);
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .isBetween(Duration.ofSeconds(2), Duration.ofSeconds(10));
    assertThat(outcome.out()).isEqualTo(words.equals("forks") ? "EAGAIN\n" : "");
  }

  @ParameterizedTest
  @ValueSource(strings = {"private", "shared", "brk", "remapped"})
  void shouldLimitMemory(String kind) throws InterruptedException {
    Outcome outcome = run("memory " + kind, limits -> bounded(limits).memory(64 * MEBIBYTE));

    assertThat(outcome).isEqualTo(new Outcome(3, "ENOMEM\n", ""));
  }

  /** Files of /tmp are memory, too; what is mapped may end with a signal when there is no more. */
  @ParameterizedTest
  @ValueSource(strings = {"files", "files mapped", "names"})
  void shouldLimitFiles(String words) throws InterruptedException {
    Outcome outcome =
        run(words, limits -> bounded(limits).memory(64 * MEBIBYTE).timeout(Duration.ofSeconds(8)));

    assertThat(outcome.out()).isIn("ENOSPC\n", "ENOMEM\n", "EFBIG\n", "EDQUOT\n", "");
    assertThat(outcome.status())
        .isIn(outcome.out().isEmpty() ? new Object[] {135, 137, TIMED_OUT} : new Object[] {0});
  }

  @ParameterizedTest
  @CsvSource({
    "threads, 0, EAGAIN",
    "zombies, 0, EAGAIN",
    "descriptors, 0, EMFILE",
    "pipes, 0, EMFILE",
    "closed, 7,",
    "deep, 139,",
    "execs, 0, 200",
    "links, 0, ELOOP ELOOP ENAMETOOLONG",
    "gates, 0, through",
    "sizes, 0, done",
    "scribble 1, 0, scribbled",
    "scribble 2, 0, scribbled",
  })
  void shouldEndByItself(String words, int status, String out) throws InterruptedException {
    Outcome outcome = run(words, HostileIT::bounded);

    String expected = out == null ? "" : out.replace(' ', '\n') + "\n";
    assertThat(outcome).isEqualTo(new Outcome(status, expected, ""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "2", "3", "4", "5", "6", "7", "8"})
  void shouldEndBySignalsAsOnTheHost(String seed) throws IOException, InterruptedException {
    String words = "signals " + seed;

    assertThat(run(words, HostileIT::bounded)).isEqualTo(Native.run(command(words)));
  }

  /** However these end: they may well end themselves, or wait for ever. */
  @ParameterizedTest
  @ValueSource(strings = {"calls 1", "calls 2", "calls 3", "calls 4", "jumps 1", "jumps 2"})
  void shouldSurviveWhatMakesNoSense(String words) throws InterruptedException {
    Outcome outcome = run(words, limits -> bounded(limits).timeout(Duration.ofSeconds(5)));

    assertThat(outcome.status()).isBetween(0, 255);
  }
}
