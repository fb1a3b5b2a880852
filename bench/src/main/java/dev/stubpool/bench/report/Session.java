package dev.stubpool.bench.report;

import dev.stubpool.bench.report.Samples.Side;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Measures: in each round each group once. In a group the two sides, this library and what it is
 * compared with, run one right after the other, and each round begins with the other side.
 */
final class Session {
  private final Options options;
  private final Plan plan;
  private final Path bench;
  private final Path work;
  private final Launcher launcher;
  private final BenchmarkJar jar;
  private final Path report;
  private final Samples samples;
  private final Consumer<String> progress;
  private final List<String> leftOut = new ArrayList<>();

  /**
   * A session.
   *
   * @param bench the folder {@code bench}
   * @param work for what is written meanwhile
   * @param jar this checkout's benchmarks
   * @param report the jar of this program
   * @param progress is told what happens
   */
  Session(
      Options options,
      Path bench,
      Path work,
      BenchmarkJar jar,
      Path report,
      Consumer<String> progress) {
    this.options = options;
    this.plan = options.plan();
    this.bench = bench;
    this.work = work;
    this.launcher = new Launcher(bench, work, options.cpu());
    this.jar = jar;
    this.report = report;
    this.samples = new Samples(plan.rounds());
    this.progress = progress;
  }

  /** What could not be measured here, and why. */
  List<String> leftOut() {
    return List.copyOf(leftOut);
  }

  private void leaveOut(String what) {
    leftOut.add(what);
    progress.accept("left out: " + what);
  }

  /** The rows that can be measured here; the others are {@linkplain #leftOut left out}. */
  List<RowSpec> possible(List<RowSpec> rows) {
    List<RowSpec> possible = new ArrayList<>();
    for (RowSpec row : rows) {
      Optional<String> missing = missing(row.needs());
      missing.ifPresentOrElse(why -> leaveOut(row.name() + ": " + why), () -> possible.add(row));
    }
    return possible;
  }

  private static Optional<String> missing(String needs) {
    if (needs.isEmpty()) {
      return Optional.empty();
    }
    int end = needs.indexOf('/');
    String variable = needs.substring(0, end);
    String file = needs.substring(end + 1);
    String folder = System.getenv(variable);
    return folder != null && Files.exists(Path.of(folder, file))
        ? Optional.empty()
        : Optional.of(variable + " names no folder with " + file);
  }

  /** Measures rows beside their floors, and the peers if they are wanted. */
  Samples besideFloors(List<RowSpec> rows) {
    JavaRuns java = new JavaRuns(launcher, plan, jar, report);
    Floors floors = new Floors(launcher, plan, bench, work, java);
    Peers peers = new Peers(launcher, plan, bench);
    List<Group> groups = new ArrayList<>(options.groups());
    if (groups.contains(Group.COMPILE)) {
      floors.buildLibseccomp().ifPresent(why -> leaveOut("the floor of compile: " + why));
    }
    if (groups.contains(Group.PEERS)) {
      Optional<String> why = peers.build();
      why.ifPresent(reason -> leaveOut("peers: " + reason));
      if (why.isPresent()) {
        groups.remove(Group.PEERS);
      }
    }
    for (int round = 0; round < plan.rounds(); round++) {
      for (Group group : groups) {
        say(round, group);
        if (group == Group.PEERS) {
          peers.measure(round, samples);
        } else {
          besideFloor(group, of(rows, group), round, floors, java);
        }
      }
    }
    return samples;
  }

  private void besideFloor(
      Group group, List<RowSpec> rows, int round, Floors floors, JavaRuns java) {
    Runnable floor = () -> samples.addAll(Side.FLOOR, round, floors.measure(group, rows));
    Runnable library =
        () ->
            JavaRuns.byRun(rows)
                .forEach((run, itsRows) -> java.measure(run, itsRows, Side.JAVA, round, samples));
    inTurn(round, floor, library);
  }

  /** Measures rows beside those of another checkout. Rows that it does not have are left out. */
  Samples against(List<RowSpec> rows, BenchmarkJar other) {
    JavaRuns here = new JavaRuns(launcher, plan, jar, report);
    JavaRuns there = new JavaRuns(launcher, plan, other, report);
    List<RowSpec> shared = new ArrayList<>();
    for (RowSpec row : rows) {
      if (other.find(row.run()).isPresent()) {
        shared.add(row);
      } else {
        leaveOut(row.name() + ": the other checkout does not have " + row.run());
      }
    }
    for (int round = 0; round < plan.rounds(); round++) {
      for (Group group : options.groups()) {
        say(round, group);
        int current = round;
        JavaRuns.byRun(of(shared, group))
            .forEach(
                (run, its) ->
                    inTurn(
                        current,
                        () -> there.measure(run, its, Side.OTHER, current, samples),
                        () -> here.measure(run, its, Side.JAVA, current, samples)));
      }
    }
    return samples;
  }

  private static void inTurn(int round, Runnable one, Runnable other) {
    (round % 2 == 0 ? Stream.of(one, other) : Stream.of(other, one)).forEach(Runnable::run);
  }

  private static List<RowSpec> of(List<RowSpec> rows, Group group) {
    return rows.stream().filter(row -> row.group() == group).toList();
  }

  private void say(int round, Group group) {
    progress.accept("round %d of %d: %s".formatted(round + 1, plan.rounds(), group));
  }
}
