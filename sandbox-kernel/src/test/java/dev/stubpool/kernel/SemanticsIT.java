package dev.stubpool.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** System calls mean what they mean on Linux: semantics.c checks it from within. */
class SemanticsIT {
  @TempDir private static Path scratch;
  private static StubPool pool;

  @BeforeAll
  static void open() {
    pool =
        StubPool.open(StubPoolOptions.builder().name("kernel").minIdle(1).maxStubs(1500).build());
  }

  @AfterAll
  static void close() {
    pool.close();
  }

  @ParameterizedTest
  @EnumSource(names = {"GLIBC", "MUSL"})
  void shouldPassAllChecksTimeAndAgain(Toolchain toolchain)
      throws IOException, InterruptedException {
    Path program = toolchain.program("semantics.c", scratch);
    Outcome onHost = Native.run(Command.of(program, scratch.toString()));
    assertThat(notOk(onHost)).as("on the host").matches("[1-9]\\d+ ok, 0 failed");

    for (int i = 0; i < 3; i++) {
      Outcome outcome = new Sandboxed(pool).run(Command.of(program, "/tmp"));

      assertThat(notOk(outcome)).isEqualTo(notOk(onHost));
      assertThat(outcome).isEqualTo(onHost);
    }
  }

  /** The lines of failures, and the last one. */
  private static String notOk(Outcome outcome) {
    return String.join(
        "\n", outcome.out().lines().filter(line -> !line.startsWith("ok ")).toList());
  }
}
