package dev.stubpool.bench.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The C programs that the rows are compared with. */
final class Floors {
  private static final String LIBSECCOMP = "floor/build/libseccomp";

  private final Launcher launcher;
  private final Plan plan;
  private final Path bench;
  private final Path work;
  private final JavaRuns java;
  private boolean libseccomp;

  Floors(Launcher launcher, Plan plan, Path bench, Path work, JavaRuns java) {
    this.launcher = launcher;
    this.plan = plan;
    this.bench = bench;
    this.work = work;
    this.java = java;
  }

  /** Builds the floor of the group {@code compile}. Returns why it is left out, if it is. */
  Optional<String> buildLibseccomp() {
    List<String> probe = List.of("gcc", "-E", "-x", "c", "-include", "seccomp.h", "/dev/null");
    libseccomp = launcher.status(bench, Map.of(), probe) == 0;
    if (!libseccomp) {
      return Optional.of("there is no seccomp.h (apt-get install libseccomp-dev)");
    }
    launcher.succeeded(List.of("make", "-s", "-C", "floor", "build/libseccomp"));
    return Optional.empty();
  }

  /** Measures the floors of a group's rows; nothing if none has a floor. */
  List<Line> measure(Group group, List<RowSpec> rows) {
    if (rows.stream().allMatch(row -> row.floor().isEmpty())) {
      return List.of();
    }
    List<Line> lines = group == Group.COMPILE ? compile(rows) : floor(group);
    for (RowSpec row : rows) {
      boolean measured = lines.stream().anyMatch(line -> line.name().equals(row.floor()));
      if (!measured && row.gate().isPresent() && !row.gate().get().isOfTime()) {
        throw new BenchException("the floor of " + row.name() + " printed no row " + row.floor());
      }
    }
    return lines;
  }

  private List<Line> floor(Group group) {
    List<Line> lines =
        LineReader.read(
            launcher.measured(
                List.of(
                    bench.resolve("floor/build/floor").toString(),
                    "--n",
                    Integer.toString(plan.samples()),
                    "--clones",
                    Integer.toString(plan.clones()),
                    group.toString())));
    if (lines.isEmpty()) {
      throw new BenchException("the floor of group " + group + " printed no figures");
    }
    return lines;
  }

  /** libseccomp builds the filters that the library compiles, from the same rules. */
  private List<Line> compile(List<RowSpec> rows) {
    List<Line> lines = new ArrayList<>();
    if (!libseccomp) {
      return lines;
    }
    for (String policy : policies(rows)) {
      String rules =
          java.program(new Run.Main("CompileBenchmark", List.of(), List.of("rules", policy)));
      Path file = work.resolve("rules");
      try {
        Files.writeString(file, rules);
      } catch (IOException e) {
        throw new BenchException("cannot write " + file + ": " + e, e);
      }
      lines.addAll(
          LineReader.read(
              launcher.measured(
                  List.of(
                      bench.resolve(LIBSECCOMP).toString(),
                      Integer.toString(plan.samples()),
                      policy,
                      file.toString()))));
    }
    return lines;
  }

  /** The policies of the rows' floors, which are named {@code compile_POLICY}. */
  private static List<String> policies(List<RowSpec> rows) {
    return rows.stream()
        .map(row -> row.floor().replaceFirst("^compile_", "").replaceFirst("_cold$", ""))
        .distinct()
        .toList();
  }
}
