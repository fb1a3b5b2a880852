package dev.stubpool.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LauncherTest {
  @TempDir private Path work;

  @Test
  void shouldReturnWhatAProgramPrintsAndLogAll() throws IOException {
    Launcher launcher = new Launcher(work, work, "");

    assertThat(launcher.measured(List.of("sh", "-c", "echo figures; echo message >&2")))
        .isEqualTo("figures\n");
    assertThat(Files.readString(work.resolve("log"))).contains("$ sh", "figures\n", "message\n");
  }

  @Test
  void shouldFailWithWhatTheProgramSaid() {
    Launcher launcher = new Launcher(work, work, "");

    assertThatThrownBy(() -> launcher.measured(List.of("sh", "-c", "echo reason >&2; exit 3")))
        .isInstanceOf(BenchException.class)
        .hasMessageContainingAll("reason\n", "status 3", "log");
    assertThatThrownBy(() -> launcher.measured(List.of("/nonexistent/program")))
        .isInstanceOf(BenchException.class)
        .hasMessageContaining("/nonexistent/program");
  }

  @Test
  void shouldEndAProgramThatTakesTooLongAndAllThatItStarted() throws Exception {
    Launcher launcher = new Launcher(work, work, "", Duration.ofSeconds(1));

    assertThatThrownBy(() -> launcher.measured(List.of("sh", "-c", "sleep 600 & echo $!; wait")))
        .isInstanceOf(BenchException.class)
        .hasMessageContaining("not done after PT1S");
    Path status = Path.of("/proc", Files.readString(work.resolve("out")).strip(), "status");
    // Not all inits reap what is left to them, so a zombie has ended, too.
    Proc.await(
        "the child's end",
        () -> {
          String text = Proc.readIfThere(status);
          return text.isEmpty() || text.contains("State:\tZ");
        });
  }

  @Test
  void shouldKeepMeasuredProgramsOnTheirCpu() {
    String cpu = Machine.lastCpu();
    List<String> command = List.of("grep", "Cpus_allowed_list", "/proc/self/status");

    Launcher pinned = new Launcher(work, work, cpu);

    assertThat(pinned.isPinned()).isTrue();
    assertThat(pinned.measured(command)).isEqualTo("Cpus_allowed_list:\t" + cpu + "\n");
    assertThat(pinned.succeeded(command)).isEqualTo(new Launcher(work, work, "").measured(command));
  }

  @Test
  void shouldGiveAProgramItsEnvironment() {
    Launcher launcher = new Launcher(work, work, "");

    int status = launcher.status(work, Map.of("ANSWER", "42"), List.of("sh", "-c", "exit $ANSWER"));

    assertThat(status).isEqualTo(42);
  }
}
