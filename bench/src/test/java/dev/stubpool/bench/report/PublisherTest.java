package dev.stubpool.bench.report;

import static dev.stubpool.bench.report.Fixtures.conditions;
import static dev.stubpool.bench.report.Fixtures.measured;
import static dev.stubpool.bench.report.Fixtures.result;
import static dev.stubpool.bench.report.Fixtures.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.bench.report.Samples.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PublisherTest {
  private static final String README =
      """
      # Something

      %s

      | | row | floor | Java | ratio |
      | --- | --- | ---: | ---: | ---: |
      | a slow one | `slow` | 1 | 2 | 2.00 |
      | a quick `one` | `quick` | | 2 | |
      | a far one | `far` | | | |

      **An old warning.**

      %s

      The end | `slow` |
      """
          .formatted(Readme.BEGIN, Readme.END);
  private static final String OTHERS =
      """

      # Programs

      figures of programs

      # Proof

      figures of the proof
      """;
  private static final String EARLIER = "# Results\n\nold figures\n" + OTHERS;
  private static final List<Result> RESULTS =
      List.of(
          result("slow", Gate.ofRatio(1.25), 12.9),
          result("quick", Gate.ofMicros(0.2), 0.043),
          result("far", null, 3881.4));

  @TempDir private Path checkout;
  private Path bench;
  private final Samples samples = new Samples(1);

  @BeforeEach
  void write() throws IOException {
    bench = checkout.resolve("bench");
    Files.createDirectories(bench.resolve("charts"));
    Files.createDirectories(bench.resolve("target"));
    Files.writeString(checkout.resolve("README.md"), README);
    Files.writeString(bench.resolve("RESULTS.md"), EARLIER);
    Files.writeString(bench.resolve("charts/of_another_run.svg"), "<svg/>");
  }

  private Publisher publisher(String... options) {
    return new Publisher(bench, Options.parse(options), message -> {});
  }

  private void publish(String... options) throws IOException {
    publisher(options).besideFloors(conditions(0), RESULTS, samples);
  }

  private String read(String file) throws IOException {
    return Files.readString(checkout.resolve(file));
  }

  @Test
  void shouldShowAMissedGateEverywhere() throws IOException {
    publish();

    assertThat(read("bench/RESULTS.md"))
        .contains(
            "| slow | 10.0 | 12.9 | 1.29 | 1.29-1.29 | <= 1.25 | **missed: 1.29 > 1.25** |\n",
            "| quick | 10.0 | 0.043 | 0.00 | 0.00-0.00 | <= 0.2 us | pass |\n");
    assertThat(read("README.md"))
        .contains("| a slow one | `slow` | 10.0 | 12.9 | **missed: 1.29 > 1.25** |\n");
    assertThat(read("bench/charts/compared.svg")).contains("&lt;= 1.25, missed");
  }

  @Test
  void shouldRewriteOnlyTheFiguresOfReadme() throws IOException {
    publish();

    String once = read("README.md");
    assertThat(once)
        .isEqualTo(
            README
                .replace(
                    "`slow` | 1 | 2 | 2.00 |", "`slow` | 10.0 | 12.9 | **missed: 1.29 > 1.25** |")
                .replace("`quick` | | 2 | |", "`quick` |  | 0.043 |  |")
                .replace("`far` | | | |", "`far` | 10.0 | 3,881 | 388.14 |")
                .replace("**An old warning.**\n\n", ""));
    publish();
    assertThat(read("README.md")).isEqualTo(once);
  }

  @Test
  void shouldWarnOfNoiseInBothPlaces() throws IOException {
    publisher().besideFloors(conditions(7), RESULTS, samples);

    String warning = "\n\n**The hypervisor took away more than 5 % of the CPU";
    assertThat(read("README.md")).contains(warning);
    assertThat(read("bench/RESULTS.md")).contains(warning);
  }

  @Test
  void shouldKeepWhatOtherProgramsWrote() throws IOException {
    publish();

    assertThat(read("bench/RESULTS.md")).doesNotContain("old figures").endsWith(OTHERS);
  }

  @Test
  void shouldReplaceAllCharts() throws IOException {
    publish();

    try (Stream<Path> charts = Files.list(bench.resolve("charts"))) {
      assertThat(charts.map(chart -> chart.getFileName().toString()))
          .containsExactly("compared.svg");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"--force", "--quick", "injection"})
  void shouldPublishNothingOfAnIncompleteRun(String option) throws IOException {
    publish(option);

    assertThat(read("README.md")).isEqualTo(README);
    assertThat(read("bench/RESULTS.md")).isEqualTo(EARLIER);
    assertThat(bench.resolve("charts/of_another_run.svg")).exists();
    assertThat(bench.resolve("charts/compared.svg")).doesNotExist();
    assertThat(read("bench/target/RESULTS.md")).contains("**missed: 1.29 > 1.25**");
    assertThat(bench.resolve("target/charts/compared.svg")).exists();
  }

  @Test
  void shouldKeepUnpinnedRunsApart() throws IOException {
    publish("--unpinned");

    assertThat(read("README.md")).isEqualTo(README);
    assertThat(read("bench/RESULTS.md")).isEqualTo(EARLIER);
    assertThat(read("bench/RESULTS-unpinned.md")).contains("(charts-unpinned/compared.svg)");
    assertThat(bench.resolve("charts-unpinned/compared.svg")).exists();
  }

  @Test
  void shouldShowPeers() throws IOException {
    measured(samples, Side.PEER_PINNED, "peer_switch", 23.1);
    measured(samples, Side.PEER_UNPINNED, "peer_switch", 13.4);

    publish();

    assertThat(read("bench/RESULTS.md")).contains("\n# Peers\n", "| peer_switch | 23.1 | 13.4 |\n");
  }

  @Test
  void shouldRefuseBeforeMeasuringWhatReadmeCannotShow() throws IOException {
    List<RowSpec> without = List.of(row("slow", "", null), row("quick", "", null));
    List<RowSpec> all = Stream.concat(without.stream(), Stream.of(row("far", "", null))).toList();

    publisher().check(all);
    assertThatThrownBy(() -> publisher().check(without))
        .isInstanceOf(BenchException.class)
        .hasMessageContaining("far");
    publisher("--quick").check(without);
    Files.writeString(checkout.resolve("README.md"), README.replace(Readme.END, ""));
    assertThatThrownBy(() -> publisher().check(all))
        .isInstanceOf(BenchException.class)
        .hasMessageContaining(Readme.END);
  }

  @Test
  void shouldReportAnotherCheckout() throws IOException {
    measured(samples, Side.JAVA, "row", 10.4);
    measured(samples, Side.OTHER, "row", 10);
    Result slower = Result.against(row("row", "", Gate.ofRatio(2)), samples);

    publisher().against(conditions(0), "0123456", List.of(slower));

    assertThat(read("bench/target/AGAINST.md"))
        .contains("0123456")
        .contains("| row | 10.0 | 10.4 | 1.04 | 1.04-1.04 | <= 1.03 | **missed: 1.04 > 1.03** |");
  }
}
