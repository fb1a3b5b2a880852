package dev.stubpool.bench.report;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** The options of {@code bench/run}. */
@Command(
    name = "bench/run",
    sortOptions = false,
    usageHelpWidth = 100,
    description = "The library beside its C floors, in turn, on one CPU.",
    footer = {
      "",
      "A complete run writes bench/RESULTS.md, the charts in bench/charts, and the table in"
          + " README.md;",
      "with --unpinned bench/RESULTS-unpinned.md and bench/charts-unpinned. With --quick, --force"
          + " or",
      "groups the same names in bench/target, with --against bench/target/AGAINST.md.",
      "",
      "compile, seccomp filters by this library and by libseccomp, leaves out libseccomp where its",
      "header is missing, and Docker's profile where STUBPOOL_OCI_CORPUS names no folder with",
      "docker-default.json. peers, gVisor's platforms pinned and not, is left out where Go or the",
      "module is missing.",
      "",
      "Exit status: 0, 1 if a gate is missed (but with --quick) or something failed, 2 for a usage"
          + " error."
    })
final class Options {
  @Option(
      names = "--quick",
      description = "About two minutes: does everything run? Its figures are noise.")
  boolean quick;

  @Option(
      names = "--unpinned",
      description =
          "Let the kernel place all threads and stubs; default: all on one CPU, the last.")
  boolean unpinned;

  @Option(names = "--cpu", paramLabel = "N", description = "All on that CPU.")
  private Integer cpu;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "How often everything is measured; default: 5, with --quick 1.")
  private Integer rounds;

  @Option(
      names = "--force",
      description = "Measure although the machine is busy. Nothing is published.")
  boolean force;

  @Option(
      names = "--against",
      paramLabel = "DIR",
      description = {
        "Instead of the floors, measure the same rows of another checkout, DIR, which was built: "
            + "for each row the ratio of this one to it; a gated row may be 3 %% slower."
      })
  Path against;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  @Parameters(
      paramLabel = "GROUP",
      description = "What to measure; default: all. ${COMPLETION-CANDIDATES}",
      completionCandidates = GroupNames.class)
  private List<String> names = List.of();

  private List<Group> groups = List.of();
  private final CommandLine parser = new CommandLine(this);

  private Options() {}

  /**
   * Reads the command line.
   *
   * @throws ParameterException if it cannot be understood
   */
  static Options parse(String... arguments) {
    Options options = new Options();
    options.parser.parseArgs(arguments);
    if (!options.help) {
      options.check();
    }
    return options;
  }

  private void check() {
    groups = names.stream().map(this::group).toList();
    if (rounds != null && rounds < 1) {
      throw new ParameterException(parser, "--rounds: at least 1, not " + rounds);
    }
    if (cpu != null && cpu < 0) {
      throw new ParameterException(parser, "--cpu: a number of a CPU, not " + cpu);
    }
    if (against != null && !Files.exists(otherJar())) {
      throw new ParameterException(
          parser,
          "--against: there is no "
              + otherJar()
              + "; build it there: mvn -Dmaven.test.skip=true -pl bench -am package");
    }
    if (against != null && groups.contains(Group.PEERS)) {
      throw new ParameterException(parser, "--against: peers are the same in each checkout");
    }
  }

  private Group group(String name) {
    return Arrays.stream(Group.values())
        .filter(group -> group.toString().equals(name))
        .findFirst()
        .orElseThrow(() -> new ParameterException(parser, "no such group: " + name));
  }

  /** The jar of the other checkout's benchmarks. */
  Path otherJar() {
    return against.toAbsolutePath().resolve("bench/target/benchmarks.jar");
  }

  String usage() {
    return parser.getUsageMessage();
  }

  Plan plan() {
    int wanted = rounds == null ? 0 : rounds;
    return quick ? Plan.quick(wanted) : Plan.full(wanted);
  }

  /** The CPU that all is measured on; empty for any. */
  String cpu() {
    if (unpinned) {
      return "";
    }
    return cpu == null ? Machine.lastCpu() : Integer.toString(cpu);
  }

  /** The groups in the order of the report. */
  List<Group> groups() {
    return Arrays.stream(Group.values())
        .filter(group -> groups.isEmpty() ? isDefault(group) : groups.contains(group))
        .toList();
  }

  private boolean isDefault(Group group) {
    return against == null || group != Group.PEERS;
  }

  /** Whether this is a complete run with all checks, the only kind whose results are published. */
  boolean publishes() {
    return !quick && !force && groups.isEmpty() && against == null;
  }

  /** The names for the usage text. */
  static final class GroupNames implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(Group.values()).map(Group::toString).iterator();
    }
  }
}
