package dev.stubpool.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OptionsTest {
  private static final double QUIET = 0.1;
  private static final double BUSY = 3;

  @TempDir private Path folder;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream messages = new ByteArrayOutputStream();

  private int run(double load, String... arguments) {
    return Main.run(
        folder,
        load,
        List.of(arguments),
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(messages, true, StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense",
        "--nonsense",
        "--rounds",
        "--rounds 0",
        "--rounds -1",
        "--rounds many",
        "--cpu",
        "--cpu x",
        "--cpu -1",
        "--against",
        "--against /nonexistent",
        "CREATE"
      })
  void shouldExplainAUsageErrorAndExitWith2(String arguments) {
    assertThat(run(QUIET, arguments.split(" "))).isEqualTo(2);
    assertThat(messages.toString(StandardCharsets.UTF_8)).contains("Usage: bench/run");
    assertThat(out.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  @Test
  void shouldNameTheGroupThatThereIsNot() {
    assertThat(run(QUIET, "create", "nonsense")).isEqualTo(2);
    assertThat(messages.toString(StandardCharsets.UTF_8)).contains("no such group: nonsense");
  }

  @Test
  void shouldRefusePeersBesideAnotherCheckout() throws IOException {
    Files.createDirectories(folder.resolve("bench/target"));
    Files.createFile(folder.resolve("bench/target/benchmarks.jar"));

    assertThat(Options.parse("--against", folder.toString()).groups()).doesNotContain(Group.PEERS);
    assertThat(run(QUIET, "--against", folder.toString(), "peers")).isEqualTo(2);
    assertThat(messages.toString(StandardCharsets.UTF_8)).contains("--against: peers");
  }

  @Test
  void shouldPrintItsUsageWithAllGroups() {
    assertThat(run(BUSY, "--help")).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8))
        .contains("--against", "create_first_injection", "source_clone", "Exit status");
  }

  @Test
  void shouldRefuseABusyMachine() {
    assertThat(run(BUSY, "injection")).isEqualTo(1);
    assertThat(messages.toString(StandardCharsets.UTF_8)).contains("load average is 3", "--force");
  }

  @Test
  void shouldUnderstandOptions() {
    Options options = Options.parse("--rounds", "7", "--cpu", "3", "recycle", "create", "--quick");

    assertThat(options.plan().rounds()).isEqualTo(7);
    assertThat(options.cpu()).isEqualTo("3");
    assertThat(options.groups()).containsExactly(Group.CREATE, Group.RECYCLE);
    assertThat(Options.parse("--unpinned").cpu()).isEmpty();
    assertThat(Options.parse("--quick").plan().rounds()).isEqualTo(1);
    assertThat(Options.parse().plan().rounds()).isEqualTo(5);
    assertThat(Options.parse().groups()).containsExactly(Group.values());
  }

  @Test
  void shouldPublishOnlyACompleteRun() {
    assertThat(Options.parse().publishes()).isTrue();
    assertThat(Options.parse("--rounds", "3", "--unpinned").publishes()).isTrue();
    assertThat(Options.parse("--force").publishes()).isFalse();
    assertThat(Options.parse("--quick").publishes()).isFalse();
    assertThat(Options.parse("lease").publishes()).isFalse();
  }
}
