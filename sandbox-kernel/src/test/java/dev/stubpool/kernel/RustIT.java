package dev.stubpool.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program of Rust: threads, channels, locks, files and processes of its standard library. */
class RustIT {
  @TempDir private static Path scratch;

  @Test
  void shouldDoWhatItDoesOnTheHost() throws IOException, InterruptedException {
    assumeTrue(Compiler.works("rustc", "--version"), "there is no Rust compiler");
    Path program = compile();
    Command command = Command.of(program).environment("PATH=/no/path", "HOME=/");
    Outcome expected = Native.run(command);
    assertThat(expected.status()).isZero();

    try (StubPool pool =
        StubPool.open(StubPoolOptions.builder().name("kernel").minIdle(1).maxStubs(1500).build())) {
      assertThat(new Sandboxed(pool).run(command)).isEqualTo(expected);
    }
  }

  /** With musl where that target is installed, else with a static glibc. */
  private static Path compile() throws IOException, InterruptedException {
    String source = Toolchain.resource("threads.rs").toString();
    String program = scratch.resolve("threads").toString();
    String empty = Files.writeString(scratch.resolve("empty.rs"), "fn main() {}").toString();
    String musl = "--target=x86_64-unknown-linux-musl";
    String target =
        Compiler.works("rustc", musl, "-o", program, empty) ? musl : "-Ctarget-feature=+crt-static";
    Compiler.run(Map.of(), "rustc", "--edition=2021", target, "-o", program, source);
    return Path.of(program);
  }
}
