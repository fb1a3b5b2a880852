package dev.stubpool.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Ways to make a static program. */
enum Toolchain {
  GLIBC("gcc", "-static"),
  GLIBC_PIE("gcc", "-static-pie"),
  MUSL("musl-gcc", "-static");

  private final String compiler;
  private final String option;

  Toolchain(String compiler, String option) {
    this.compiler = compiler;
    this.option = option;
  }

  /** Compiles a program; the test is skipped if this machine cannot compile any so. */
  Path compile(Path source, Path to) throws IOException, InterruptedException {
    Path probe = Files.writeString(to.resolveSibling("probe.c"), "int main(void) { return 0; }");
    Assumptions.assumeTrue(succeeds(probe, to), () -> this + " does not work here");
    if (!succeeds(source, to)) {
      throw new IllegalStateException(source + " does not compile with " + this);
    }
    return to;
  }

  @Override
  public String toString() {
    return compiler + " " + option;
  }

  private boolean succeeds(Path source, Path to) throws IOException, InterruptedException {
    List<String> line =
        List.of(compiler, option, "-O1", "-w", "-o", to.toString(), source.toString(), "-lm");
    try {
      return new ProcessBuilder(line)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException _) {
      return false; // there is none
    }
  }
}
