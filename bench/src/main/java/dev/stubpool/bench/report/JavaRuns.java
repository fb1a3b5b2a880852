package dev.stubpool.bench.report;

import dev.stubpool.bench.report.Samples.Side;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs the benchmarks of one checkout, each in processes of its own. */
final class JavaRuns {
  private final Launcher launcher;
  private final Plan plan;
  private final BenchmarkJar jar;
  private final Path report;

  /**
   * The benchmarks of a checkout.
   *
   * @param jar where they are
   * @param report where {@link RunBenchmark} is
   */
  JavaRuns(Launcher launcher, Plan plan, BenchmarkJar jar, Path report) {
    this.launcher = launcher;
    this.plan = plan;
    this.jar = jar;
    this.report = report;
  }

  /** The runs that measure these rows, each with its rows. */
  static Map<Run, List<RowSpec>> byRun(List<RowSpec> rows) {
    Map<Run, List<RowSpec>> runs = new LinkedHashMap<>();
    rows.forEach(row -> runs.computeIfAbsent(row.run(), run -> new ArrayList<>()).add(row));
    return runs;
  }

  /** Runs what measures these rows, and keeps their lines. */
  void measure(Run run, List<RowSpec> rows, Side side, int round, Samples samples) {
    List<Line> lines = LineReader.read(program(run));
    for (RowSpec row : rows) {
      samples.add(side, round, row.name(), line(row, lines));
    }
  }

  /** The one line of a benchmark; that of the row's name of a program. */
  static Line line(RowSpec row, List<Line> lines) {
    List<Line> found =
        row.run() instanceof Run.Benchmark
            ? lines
            : lines.stream().filter(line -> line.name().equals(row.name())).toList();
    if (found.size() != 1 || Double.isNaN(row.figure().of(found.getFirst()))) {
      throw new BenchException(
          "not one figure of " + row.name() + " by " + row.run() + ", but: " + found);
    }
    return found.getFirst();
  }

  /** Runs it, and returns what it printed. */
  String program(Run run) {
    return launcher.measured(command(run));
  }

  List<String> command(Run run) {
    String type =
        jar.find(run).orElseThrow(() -> new BenchException(jar.path() + " does not have " + run));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    switch (run) {
      case Run.Benchmark benchmark -> {
        int warmups = benchmark.warmups() == 0 ? plan.warmups() : benchmark.warmups();
        command.addAll(List.of("-cp", jar.path() + ":" + report, RunBenchmark.class.getName()));
        command.addAll(List.of(type, benchmark.method()));
        command.addAll(benchmark.options());
        command.addAll(List.of("-wi", Integer.toString(warmups)));
        command.addAll(plan.times());
      }
      case Run.Main program -> {
        command.addAll(program.jvm());
        command.addAll(
            List.of("--enable-native-access=ALL-UNNAMED", "-cp", jar.path().toString(), type));
        program.arguments().forEach(argument -> command.add(plan.fill(argument)));
      }
    }
    return command;
  }
}
