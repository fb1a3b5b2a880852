package dev.stubpool.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.cli.ChildCommand;
import dev.stubpool.cli.JsonText;
import dev.stubpool.cli.Outcome;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DemoIT {
  @ParameterizedTest
  @ValueSource(ints = {1, 40})
  void shouldPrintOneJsonObjectWithAllFigures(int stubs) throws IOException {
    Outcome outcome = Outcome.of("demo", "--json", "--stubs", Integer.toString(stubs));

    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.status()).isZero();
    Map<String, String> values = JsonText.values(outcome.out());
    assertThat(values.keySet())
        .containsExactly(
            "/stubs",
            "/source_pid",
            "/create_us/p50",
            "/create_us/p90",
            "/create_us/p99",
            "/create_us/min",
            "/batch_us",
            "/acquire_warm_ns",
            "/recycle_us",
            "/inject_us",
            "/filter/instructions",
            "/leaked");
    assertThat(values)
        .containsEntry("/stubs", Integer.toString(stubs))
        .containsEntry("/leaked", "0");
    values.remove("/leaked");
    assertThat(values.values())
        .allSatisfy(value -> assertThat(Double.parseDouble(value)).isPositive());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5})
  void shouldTellOfItsStepsAndEndWithTheCount(int stubs) {
    Outcome outcome = Outcome.of("demo", "--stubs", Integer.toString(stubs));

    List<String> lines = outcome.out().lines().toList();
    assertThat(lines)
        .extracting(line -> line.split(" ", 2)[0])
        .contains("source", "create", "map", "inject", "recycle", "acquire", "batch", "close");
    assertThat(lines.getLast()).isEqualTo("leaked: 0");
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.status()).isZero();
  }

  /** Whose stubs would be other processes in /proc. */
  @Test
  void shouldRefuseTheProcOfAnotherPidNamespace() throws Exception {
    List<String> prefix = List.of("unshare", "--pid", "--fork");
    Process trial = new ProcessBuilder("unshare", "--pid", "--fork", "true").start();
    Assumptions.assumeTrue(trial.waitFor() == 0, "no pid namespace may be made");
    assertThat(ChildCommand.output(prefix, "demo", "--stubs", "1"))
        .contains("stubpool: /proc is of another pid namespace: this JVM is process ")
        .doesNotContain("source");
  }
}
