package dev.stubpool.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;

class CatalogTest {
  private static final BenchmarkJar OWN = BenchmarkJar.open(Path.of("target/classes"));

  static class Rows {
    @Benchmark
    @Row(
        group = Group.CREATE,
        name = "a_{x}_{y}",
        floor = "f_{x}",
        params = {"x=2,10", "y=u,v"})
    public void params() {}

    @Benchmark
    @Row(
        group = Group.CREATE,
        name = "b_{threads}",
        threads = {4, 1},
        mode = Mode.Throughput,
        figure = Figure.MEAN,
        gateMicros = 3,
        warmups = 10)
    public void threads() {}

    @Program(
        jvm = "-Xmx1g",
        arguments = {"{samples/10}", "{x}", "{clones}"})
    @Row(group = Group.INJECTION, name = "c_{x}", floor = "c", gate = 1.5, params = "x=1")
    public static void main(String[] arguments) {}
  }

  @Test
  void shouldMakeARowOfEachCombination() {
    List<RowSpec> rows = Catalog.of(List.of(Rows.class));

    assertThat(rows)
        .extracting(RowSpec::name)
        .containsExactly("a_2_u", "a_2_v", "a_10_u", "a_10_v", "b_1", "b_4", "c_1");
    assertThat(rows.get(2).floor()).isEqualTo("f_10");
    assertThat(rows.get(2).run())
        .isEqualTo(new Run.Benchmark("Rows", "params", 0, List.of("-p", "x=10", "-p", "y=u")));
    assertThat(rows.get(5).run())
        .isEqualTo(new Run.Benchmark("Rows", "threads", 10, List.of("-t", "4", "-bm", "thrpt")));
    assertThat(rows.get(5).gate()).isEqualTo(Optional.of(Gate.ofMicros(3)));
    assertThat(rows.get(6).run())
        .isEqualTo(
            new Run.Main("Rows", List.of("-Xmx1g"), List.of("{samples/10}", "1", "{clones}")));
    assertThat(rows.get(6).gate()).isEqualTo(Optional.of(Gate.ofRatio(1.5)));
  }

  static class TwoGates {
    @Benchmark
    @Row(group = Group.CREATE, name = "bad", floor = "f", gate = 1, gateMicros = 1)
    public void run() {}
  }

  static class RatioWithoutFloor {
    @Benchmark
    @Row(group = Group.CREATE, name = "bad", gate = 1)
    public void run() {}
  }

  static class UnknownPlace {
    @Benchmark
    @Row(group = Group.CREATE, name = "bad_{x}")
    public void run() {}
  }

  static class NotABenchmark {
    @Row(group = Group.CREATE, name = "bad")
    public void run() {}
  }

  static class MedianOfAThroughput {
    @Benchmark
    @Row(group = Group.CREATE, name = "bad", mode = Mode.Throughput)
    public void run() {}
  }

  static class TwoOfOneName {
    @Benchmark
    @Row(group = Group.CREATE, name = "bad")
    @Row(group = Group.CREATE, name = "bad")
    public void run() {}
  }

  @Test
  void shouldRefuseAnnotationsThatContradictThemselves() {
    List<Class<?>> bad =
        List.of(
            TwoGates.class,
            RatioWithoutFloor.class,
            UnknownPlace.class,
            NotABenchmark.class,
            MedianOfAThroughput.class,
            TwoOfOneName.class);

    assertThat(bad)
        .allSatisfy(
            type ->
                assertThatThrownBy(() -> Catalog.of(List.of(type)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("bad"));
  }

  @Test
  void shouldFindARowForEachBenchmarkOfThisModule() {
    List<Method> without =
        OWN.benchmarks().stream()
            .flatMap(type -> Arrays.stream(type.getDeclaredMethods()))
            .filter(method -> method.isAnnotationPresent(Benchmark.class))
            .filter(method -> method.getAnnotationsByType(Row.class).length == 0)
            .toList();

    assertThat(without).isEmpty();
    assertThat(Catalog.of(OWN.benchmarks()))
        .isNotEmpty()
        .allSatisfy(row -> assertThat(OWN.find(row.run())).isPresent());
  }

  /** JMH loads the class that runs its workers by a name in an option. */
  @Test
  void shouldNameExecutorsThatExist() throws ClassNotFoundException {
    String option = "-Djmh.executor.class=";
    List<String> executors =
        OWN.benchmarks().stream()
            .filter(type -> type.isAnnotationPresent(Fork.class))
            .flatMap(type -> Arrays.stream(type.getAnnotation(Fork.class).jvmArgsAppend()))
            .filter(argument -> argument.startsWith(option))
            .map(argument -> argument.substring(option.length()))
            .distinct()
            .toList();

    assertThat(executors).isNotEmpty();
    for (String executor : executors) {
      assertThat(Class.forName(executor)).isAssignableTo(ExecutorService.class);
    }
  }

  @Test
  void shouldHaveTheRowsThatReadmeShows() throws IOException {
    Readme readme = Readme.parse(Files.readString(Path.of("../README.md")));

    assertThat(readme.rows()).isNotEmpty();
    assertThat(Catalog.of(OWN.benchmarks())).extracting(RowSpec::name).containsAll(readme.rows());
  }
}
