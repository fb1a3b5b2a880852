package dev.stubpool.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JavaRunsTest {
  private static final Path REPORT = Path.of("report.jar");
  private static final Run.Benchmark BENCHMARK =
      new Run.Benchmark("LeaseBenchmark", "cycle", 10, List.of("-bm", "thrpt"));
  private static final Run.Main PROGRAM =
      new Run.Main("CloneBenchmark", List.of("-Xmx6g"), List.of("{clones}", "{samples/10}"));

  @TempDir private Path classes;

  /** Another checkout's classes, in other packages. */
  @BeforeEach
  void write() throws IOException {
    for (String name :
        List.of(
            "old/LeaseBenchmark.class",
            "old/jmh_generated/LeaseBenchmark_cycle_jmhTest.class",
            "old/jmh_generated/LeaseBenchmark_cycleTwice_jmhTest.class",
            "old/place/CloneBenchmark.class")) {
      Files.createDirectories(classes.resolve(name).getParent());
      Files.createFile(classes.resolve(name));
    }
  }

  private List<String> command(Plan plan, Run run) {
    Launcher launcher = new Launcher(classes, classes, "");
    return new JavaRuns(launcher, plan, BenchmarkJar.open(classes), REPORT).command(run);
  }

  @Test
  void shouldFindClassesInWhateverPackage() {
    BenchmarkJar jar = BenchmarkJar.open(classes);

    assertThat(jar.find(BENCHMARK)).contains("old.LeaseBenchmark");
    assertThat(jar.find(PROGRAM)).contains("old.place.CloneBenchmark");
    assertThat(jar.find(new Run.Benchmark("LeaseBenchmark", "twice", 0, List.of()))).isEmpty();
    assertThat(jar.find(new Run.Main("Benchmark", List.of(), List.of()))).isEmpty();
  }

  @Test
  void shouldRefuseToChooseAmongClassesOfOneName() throws IOException {
    Files.createDirectories(classes.resolve("other"));
    Files.createFile(classes.resolve("other/CloneBenchmark.class"));

    assertThatThrownBy(() -> BenchmarkJar.open(classes).find(PROGRAM))
        .isInstanceOf(BenchException.class)
        .hasMessageContaining("other.CloneBenchmark");
  }

  @Test
  void shouldRunABenchmarkFromItsJar() {
    assertThat(command(Plan.full(0), BENCHMARK).stream().skip(1))
        .containsExactly(
            "-cp",
            classes + ":" + REPORT,
            "dev.stubpool.bench.report.RunBenchmark",
            "old.LeaseBenchmark",
            "cycle",
            "-bm",
            "thrpt",
            "-wi",
            "10",
            "-w",
            "700ms",
            "-i",
            "2",
            "-r",
            "300ms");
  }

  @Test
  void shouldRunAProgramFromItsJar() {
    assertThat(command(Plan.quick(0), PROGRAM).stream().skip(1))
        .containsExactly(
            "-Xmx6g",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            classes.toString(),
            "old.place.CloneBenchmark",
            "1",
            "50");
  }

  @Test
  void shouldStartOnceWhatMeasuresSeveralRows() {
    RowSpec median = row("median", Figure.P50);
    RowSpec mean = row("mean", Figure.MEAN);

    assertThat(JavaRuns.byRun(List.of(median, mean)))
        .isEqualTo(Map.of(BENCHMARK, List.of(median, mean)));
  }

  private static RowSpec row(String name, Figure figure) {
    return new RowSpec(name, Group.LEASE, BENCHMARK, figure, "", Figure.P50, Optional.empty(), "");
  }

  @Test
  void shouldFailWithoutTheFigureOfARow() {
    Line line = new Line("LeaseBenchmark.cycle", Double.NaN, 3);

    assertThat(JavaRuns.line(row("mean", Figure.MEAN), List.of(line))).isEqualTo(line);
    assertThatThrownBy(() -> JavaRuns.line(row("median", Figure.P50), List.of(line)))
        .isInstanceOf(BenchException.class)
        .hasMessageContaining("median");
    assertThatThrownBy(() -> JavaRuns.line(row("mean", Figure.MEAN), List.of()))
        .isInstanceOf(BenchException.class)
        .hasMessageContaining("mean");
  }
}
