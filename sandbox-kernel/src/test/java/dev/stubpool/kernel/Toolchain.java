package dev.stubpool.kernel;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
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

  /**
   * The program that a C file of the resources makes, compiled into a folder if it is not there.
   */
  Path program(String source, Path folder) throws IOException, InterruptedException {
    Path program = folder.resolve(source.replace(".c", "-" + name()));
    return Files.exists(program) ? program : compile(resource(source), program);
  }

  /** A file of the test resources. */
  static Path resource(String name) {
    try {
      return Path.of(Toolchain.class.getResource("/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
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

  private boolean succeeds(Path source, Path to) throws InterruptedException {
    return Compiler.works(
        compiler, option, "-O1", "-w", "-pthread", "-o", to.toString(), source.toString(), "-lm");
  }
}
