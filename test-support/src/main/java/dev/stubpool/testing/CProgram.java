package dev.stubpool.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** C programs that tests compare with or play against. */
public final class CProgram {
  private CProgram() {}

  /**
   * Compiles a program, by {@code $CC} or gcc, without any warning. Skips the test if there is no
   * compiler.
   *
   * @param source relative to the module's folder, or absolute
   * @param program the file to make
   * @param options those of the compiler, and the libraries
   */
  public static void compile(Path source, Path program, String... options)
      throws IOException, InterruptedException {
    Path absolute = Path.of(System.getProperty("basedir", "")).resolve(source).toAbsolutePath();
    List<String> command = new ArrayList<>();
    command.add(System.getenv().getOrDefault("CC", "gcc"));
    command.addAll(List.of("-std=gnu11", "-Wall", "-Wextra", "-Werror"));
    command.addAll(List.of("-o", program.toString(), absolute.toString()));
    command.addAll(List.of(options));
    Process compiler;
    try {
      compiler = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      Assumptions.abort("there is no C compiler: " + e.getMessage());
      return;
    }
    String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (compiler.waitFor() != 0) {
      throw new AssertionError(absolute + " does not compile: " + output);
    }
  }
}
