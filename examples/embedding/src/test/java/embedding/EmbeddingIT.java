package embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertLinesMatch;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Starts the packaged program as its users do, and reads all that it prints. */
class EmbeddingIT {
  private static final List<String> ON_CLASS_PATH =
      List.of("-cp", "target/embedding.jar:target/lib/*", "embedding.Embedding");
  private static final List<String> ON_MODULE_PATH =
      List.of("-p", "target/embedding.jar:target/lib", "-m", "embedding/embedding.Embedding");

  private static final String CLASS_PATH_OPTION = "--enable-native-access=ALL-UNNAMED";
  private static final String MODULE_PATH_OPTION =
      "--enable-native-access=dev.stubpool.nativestubs";

  @TempDir private Path folder;

  @Test
  void shouldRunOnTheClassPath() throws Exception {
    shouldRun(java(ON_CLASS_PATH, CLASS_PATH_OPTION));
  }

  @Test
  void shouldRunOnTheModulePath() throws Exception {
    shouldRun(java(ON_MODULE_PATH, MODULE_PATH_OPTION));
  }

  @Test
  void shouldNameTheMissingOptionOnTheClassPath() throws Exception {
    shouldName(CLASS_PATH_OPTION, java(ON_CLASS_PATH));
  }

  @Test
  void shouldNameTheMissingOptionOnTheModulePath() throws Exception {
    shouldName(MODULE_PATH_OPTION, java(ON_MODULE_PATH));
  }

  /** Two lines and no other, so no warnings either. */
  private static void shouldRun(Run run) {
    assertLinesMatch(
        List.of("the stub sees 42", "it is process (\\d+), which is \\1"), run.output());
    assertEquals(0, run.status());
  }

  private static void shouldName(String option, Run run) {
    assertEquals(
        "Exception in thread \"main\" dev.stubpool.UnsupportedMachineException: stubpool may not"
            + " call native code in this JVM: add the option "
            + option
            + " to the java command",
        run.output().getFirst());
    assertEquals(1, run.status());
  }

  private record Run(int status, List<String> output) {}

  private Run java(List<String> program, String... options) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + "/bin/java");
    command.add("--illegal-native-access=deny"); // Java 25 only warns; a later one will not
    command.addAll(List.of(options));
    command.addAll(program);
    Path output = folder.resolve("output");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
    builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), () -> "does not end: " + command);
      return new Run(process.exitValue(), Files.readAllLines(output));
    } finally {
      process.destroyForcibly();
    }
  }
}
