package dev.stubpool.nativestubs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Building without a compiler stops and says what to install. */
class BuildScriptTest {
  @Test
  void shouldSayWhatToInstallWithoutACompiler(@TempDir Path folder)
      throws IOException, InterruptedException {
    ProcessBuilder build =
        new ProcessBuilder(
                "sh", "src/main/native/build.sh", folder + "/w", folder + "/s", folder + "/r")
            .redirectErrorStream(true);
    build.environment().put("CC", "no-such-compiler");
    Process process = build.start();
    String output = process.inputReader().readAllAsString();
    assertThat(process.waitFor()).isEqualTo(1);
    assertThat(output)
        .contains(
            "stubpool: no C compiler (no-such-compiler): install it with: apt-get install gcc"
                + " libc6-dev");
  }
}
