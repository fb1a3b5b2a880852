package dev.stubpool.bench.report;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ParameterException;

/** The program behind {@code bench/run}. */
public final class Main {
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm 'UTC'", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final long NEEDED_MEMORY = 8L << 30;
  private static final String JAR = "target/benchmarks.jar";
  private static final String REPORT_JAR = "target/report.jar";

  private final Options options;
  private final Path bench;
  private final String command;
  private final double load;
  private final PrintStream out;
  private final PrintStream messages;

  private Main(
      Options options,
      Path bench,
      String command,
      double load,
      PrintStream out,
      PrintStream messages) {
    this.options = options;
    this.bench = bench;
    this.command = command;
    this.load = load;
    this.out = out;
    this.messages = messages;
  }

  /**
   * Takes the folder {@code bench}, the load average before anything was built, and the options of
   * {@code bench/run}. Ends the JVM with its exit status.
   */
  public static void main(String[] arguments) {
    List<String> all = List.of(arguments);
    System.exit(
        run(
            Path.of(all.get(0)).toAbsolutePath(),
            Double.parseDouble(all.get(1)),
            all.subList(2, all.size()),
            System.out,
            System.err));
  }

  /** Runs the program, and returns its exit status. */
  static int run(
      Path bench, double load, List<String> arguments, PrintStream out, PrintStream messages) {
    try {
      Options options = Options.parse(arguments.toArray(String[]::new));
      if (options.help) {
        out.print(options.usage());
        return 0;
      }
      String command = String.join(" ", arguments);
      Main main =
          new Main(
              options,
              bench,
              "bench/run" + (command.isEmpty() ? "" : " " + command),
              load,
              out,
              messages);
      boolean missed = main.report();
      return missed && !options.quick ? 1 : 0;
    } catch (ParameterException e) {
      messages.println("bench: " + e.getMessage());
      messages.print(e.getCommandLine().getUsageMessage());
      return 2;
    } catch (BenchException e) {
      messages.println("bench: " + e.getMessage());
      return 1;
    } catch (IOException | UncheckedIOException e) {
      messages.println("bench: input or output failed: " + e);
      return 1;
    }
  }

  /** Measures, and writes the report. Returns whether a gate was missed. */
  private boolean report() throws IOException {
    check();
    Path work = bench.resolve("target/run");
    Files.createDirectories(work);
    Files.deleteIfExists(work.resolve("log"));
    BenchmarkJar jar = BenchmarkJar.open(bench.resolve(JAR));
    Session session = new Session(options, bench, work, jar, bench.resolve(REPORT_JAR), this::say);
    List<RowSpec> rows =
        session.possible(
            Catalog.of(jar.benchmarks()).stream()
                .filter(row -> options.groups().contains(row.group()))
                .toList());
    Publisher publisher = new Publisher(bench, options, this::say);
    publisher.check(rows);
    Instant begun = Instant.now();
    Machine.CpuTime cpuBefore = Machine.CpuTime.now(options.cpu());
    BenchmarkJar other = options.against == null ? null : BenchmarkJar.open(options.otherJar());
    Samples samples = other == null ? session.besideFloors(rows) : session.against(rows, other);
    Conditions conditions =
        new Conditions(
            DATE.format(begun),
            command,
            Git.commit(bench),
            options.cpu(),
            load,
            Machine.load(),
            Machine.CpuTime.now(options.cpu()).stolenSince(cpuBefore),
            samples.rounds(),
            Duration.between(begun, Instant.now()).toSeconds(),
            options.quick,
            session.leftOut());
    List<Result> results =
        rows.stream()
            .filter(row -> samples.rows(Samples.Side.JAVA).contains(row.name()))
            .map(
                row ->
                    other == null ? Result.besideFloor(row, samples) : Result.against(row, samples))
            .toList();
    String text =
        other == null
            ? publisher.besideFloors(conditions, results, samples)
            : publisher.against(conditions, Git.commit(options.against), results);
    out.print(text);
    return results.stream().anyMatch(Result::missed);
  }

  private void check() {
    if (load > Conditions.MOST_LOAD && !options.force) {
      throw new BenchException(
          "the load average is %s, more than %s: figures would be noise. Wait, or: bench/run --force"
              .formatted(Numbers.plain(load), Numbers.plain(Conditions.MOST_LOAD)));
    }
    if (options.groups().contains(Group.SOURCE_CLONE)
        && Machine.availableMemory() < NEEDED_MEMORY) {
      throw new BenchException(
          "group source_clone needs %d GiB of available memory".formatted(NEEDED_MEMORY >> 30));
    }
    if (!options.cpu().isEmpty() && !Launcher.finds("taskset")) {
      throw new BenchException("taskset is missing: apt-get install util-linux");
    }
  }

  private void say(String message) {
    messages.println("bench: " + message);
  }
}
