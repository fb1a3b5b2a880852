package dev.stubpool.bench.report;

import dev.stubpool.bench.report.Samples.Side;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** gVisor's platforms on similar work, by a program in Go. */
final class Peers {
  private final Launcher launcher;
  private final Plan plan;
  private final Path folder;
  private final String program;

  Peers(Launcher launcher, Plan plan, Path bench) {
    this.launcher = launcher;
    this.plan = plan;
    this.folder = bench.resolve("peers/gvisor");
    this.program = folder.resolve("build/gvisor").toString();
  }

  /** Builds the program and tries it. Returns why it is left out, if it is. */
  Optional<String> build() {
    if (!Launcher.finds("go")) {
      return Optional.of("Go is missing");
    }
    List<String> build = List.of("go", "build", "-buildvcs=false", "-o", "build/gvisor", ".");
    if (launcher.status(folder, Map.of("CGO_ENABLED", "0"), build) != 0) {
      return Optional.of("gVisor cannot be built; see the log");
    }
    if (launcher.status(folder, Map.of(), List.of(program, "check")) != 0) {
      return Optional.of("gVisor does not work here; see the log");
    }
    return Optional.empty();
  }

  /** Measures all rows, on one CPU (unless nothing is pinned) and on any. */
  void measure(int round, Samples samples) {
    List<String> command = List.of(program, "--n", Integer.toString(plan.samples()));
    if (launcher.isPinned()) {
      samples.addAll(Side.PEER_PINNED, round, figures(launcher.measured(command)));
    }
    samples.addAll(Side.PEER_UNPINNED, round, figures(launcher.succeeded(command)));
  }

  private static List<Line> figures(String printed) {
    List<Line> lines = LineReader.read(printed);
    if (lines.isEmpty()) {
      throw new BenchException("the peers printed no figures");
    }
    return lines;
  }
}
