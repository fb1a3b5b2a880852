package dev.stubpool.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs of Go, whose runtime schedules, collects and preempts by itself. */
class GoIT {
  /** With which Go makes static programs from the standard library alone, and has a cache. */
  private static final Map<String, String> ENVIRONMENT =
      Map.of(
          "CGO_ENABLED",
          "0",
          "GOFLAGS",
          "",
          "GOPROXY",
          "off",
          "GOTOOLCHAIN",
          "local",
          "HOME",
          System.getProperty("user.home"));

  @TempDir private static Path scratch;
  private static StubPool pool;

  @BeforeAll
  static void open() throws IOException, InterruptedException {
    assumeTrue(Compiler.works("go", "version"), "there is no Go compiler");
    pool =
        StubPool.open(StubPoolOptions.builder().name("kernel").minIdle(1).maxStubs(1500).build());
  }

  @AfterAll
  static void close() {
    if (pool != null) {
      pool.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"goroutines", "timers", "gc", "files", "exec", "signals"})
  void shouldDoWhatItDoesOnTheHost(String name) throws IOException, InterruptedException {
    Path program = scratch.resolve(name);
    String source = Toolchain.resource("go/" + name + ".go").toString();
    Compiler.run(ENVIRONMENT, "go", "build", "-o", program.toString(), source);
    Command command = Command.of(program).environment("PATH=/no/path", "HOME=/");
    Outcome expected = Native.run(command);

    Outcome outcome = new Sandboxed(pool).run(command);

    assertThat(outcome).isEqualTo(expected);
    assertThat(expected.out()).isNotEmpty();
  }
}
