package dev.stubpool.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.testing.Effort;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Threads come to the same results however they are scheduled. */
class ThreadsIT {
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
  void shouldComeToTheSameResults(Toolchain toolchain) throws IOException, InterruptedException {
    Command command = Command.of(toolchain.program("threads.c", scratch));
    Outcome expected = Native.run(command);
    assertThat(expected.status()).isZero();

    int rounds = Effort.cases(10, 100);
    for (int i = 0; i < rounds; i++) {
      assertThat(new Sandboxed(pool).run(command)).as("round %d", i).isEqualTo(expected);
    }
    assertThat(pool.stats().leased()).isZero();
  }
}
