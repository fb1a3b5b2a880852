package dev.stubpool.bench.report;

import dev.stubpool.bench.report.Charts.Chart;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.function.Consumer;

/**
 * Writes the reports. Only a complete run with all its checks changes what is published: the report
 * and the charts in {@code bench}, and the table in README.md. All others write to {@code
 * bench/target}.
 */
final class Publisher {
  private final Path bench;
  private final Options options;
  private final Consumer<String> progress;

  Publisher(Path bench, Options options, Consumer<String> progress) {
    this.bench = bench;
    this.options = options;
    this.progress = progress;
  }

  private Path folder() {
    return options.publishes() ? bench : bench.resolve("target");
  }

  private boolean writesReadme() {
    return options.publishes() && !options.unpinned;
  }

  private Path readme() {
    return bench.resolveSibling("README.md");
  }

  /**
   * Fails if the table in README.md could not be written in the end.
   *
   * @param rows what is going to be measured
   */
  void check(List<RowSpec> rows) throws IOException {
    if (writesReadme()) {
      List<String> names = rows.stream().map(RowSpec::name).toList();
      for (String row : Readme.parse(Files.readString(readme())).rows()) {
        if (!names.contains(row)) {
          throw new BenchException("README.md shows a row that is not measured: " + row);
        }
      }
    }
  }

  /** Writes the report of a run beside the floors, and returns it. */
  String besideFloors(Conditions conditions, List<Result> results, Samples samples)
      throws IOException {
    String suffix = options.unpinned ? "-unpinned" : "";
    String charts = "charts" + suffix;
    List<Chart> drawn = Charts.of(results);
    writeCharts(folder().resolve(charts), drawn);
    String report = Report.besideFloors(conditions, results, drawn, charts, samples);
    Path file = folder().resolve("RESULTS" + suffix + ".md");
    write(
        file, Files.exists(file) ? Report.withSectionsOf(Files.readString(file), report) : report);
    if (writesReadme()) {
      String text = Files.readString(readme());
      write(readme(), Readme.parse(text).with(results, conditions.warnings()));
    }
    return report;
  }

  /** Writes the report of a run beside another checkout, and returns it. */
  String against(Conditions conditions, String other, List<Result> results) throws IOException {
    String report = Report.against(conditions, other, results);
    write(bench.resolve("target/AGAINST.md"), report);
    return report;
  }

  /** Replaces all charts: one that this run has no figures for would be another run's. */
  private static void writeCharts(Path folder, List<Chart> drawn) throws IOException {
    Files.createDirectories(folder);
    try (DirectoryStream<Path> earlier = Files.newDirectoryStream(folder, "*.svg")) {
      for (Path chart : earlier) {
        Files.delete(chart);
      }
    }
    for (Chart chart : drawn) {
      Files.writeString(folder.resolve(chart.name() + ".svg"), chart.svg());
    }
  }

  /** Replaces a file as a whole: it is never seen half written. */
  private void write(Path file, String text) throws IOException {
    Path written = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(written, text);
    Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
    progress.accept("written: " + file.normalize());
  }
}
