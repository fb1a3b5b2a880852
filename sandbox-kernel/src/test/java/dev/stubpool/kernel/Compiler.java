package dev.stubpool.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Runs compilers, with the environment of this JVM. */
final class Compiler {
  private Compiler() {}

  /** Whether a compiler is there and content. */
  static boolean works(String... words) throws InterruptedException {
    try {
      return new ProcessBuilder(words)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException _) {
      return false; // there is none
    }
  }

  /** Runs a compiler that must succeed, with more environment. */
  static void run(Map<String, String> environment, String... words)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(List.of(words) + " failed: " + output);
    }
  }
}
