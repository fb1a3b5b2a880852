package dev.stubpool.cli.run;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.cli.output.Diagnostics;
import dev.stubpool.kernel.Program;
import dev.stubpool.kernel.SandboxKernel;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stubpool run}. Standard streams and exit status are the program's. */
@Command(
    name = RunCommand.NAME,
    description =
        "Run a static x86-64 program in stubs, its system calls served by a kernel in Java.",
    customSynopsis = "stubpool run [OPTION]... -- PROGRAM [ARGUMENT]...",
    footer = {
      "",
      "The program can read the host's files that an unprivileged user may read, and can change",
      "none. Its /tmp is private, initially empty, and not kept. It has no network and no"
          + " terminal.",
      "When its first process ends, all others are killed.",
      "SIGINT, SIGTERM and SIGHUP are forwarded to the program.",
      "Exit status: the program's; 128 plus the signal's number if one ended it; 124 if it took",
      "longer than --timeout; 1 if it could not be run, 2 wrong usage."
    })
public final class RunCommand implements Callable<Integer> {
  /** The command's name. */
  public static final String NAME = "run";

  private static final String DEFAULT_SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin";

  @Spec private CommandSpec spec;

  @Option(
      names = "--ro",
      paramLabel = "PATH",
      description = "A file or directory that the program may read regardless of its permissions.")
  private List<Path> readOnly = List.of();

  @Option(
      names = "--hide",
      paramLabel = "PATH",
      description = "A file or directory to hide from the program.")
  private List<Path> hidden = List.of();

  @Option(
      names = "--root",
      paramLabel = "DIR",
      description = "The directory to use as the program's /; default: the host's /.")
  private Path root = Path.of("/");

  @Option(
      names = "--env",
      paramLabel = "NAME=VALUE",
      description = "An environment variable, in addition to those of this command.")
  private Map<String, String> environment = Map.of();

  @Option(
      names = "--cwd",
      paramLabel = "DIR",
      description = "Its working directory; default: this command's.")
  private Path workingDirectory = Path.of("").toAbsolutePath();

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Memory limit for all of its processes, such as 512M; default: 2G.")
  private long memory = Program.DEFAULT_MEMORY;

  @Option(
      names = "--processes",
      paramLabel = "N",
      description = "Thread limit for all of its processes; default: ${DEFAULT-VALUE}.")
  private int processes = Program.DEFAULT_PROCESSES;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      converter = DurationConverter.class,
      description = "Time after which it is killed, such as 10s, 500ms or 2m.")
  private Duration timeout;

  @Option(
      names = "--strace",
      arity = "0..1",
      paramLabel = "FILE",
      preprocessor = AttachedOnly.class,
      description = "Print its system calls, to standard error or to FILE (--strace=FILE).")
  private String strace;

  @Option(
      names = "--stats",
      description = "Print a summary of its system calls and their times at its end.")
  private boolean statistics;

  @Parameters(
      index = "0",
      paramLabel = "PROGRAM",
      description = "A path, or a name to look up in PATH.")
  private String program;

  @Parameters(index = "1..*", paramLabel = "ARGUMENT", description = "The program's arguments.")
  private List<String> arguments = List.of();

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    List<String> named = new ArrayList<>(List.of(program));
    named.addAll(arguments);
    Program.Builder builder =
        Program.builder(find(program))
            .arguments(named)
            .environment(environment())
            .root(existing("--root", root))
            .readOnly(readOnly.stream().map(path -> existing("--ro", path)).toList())
            .hide(hidden)
            .workingDirectory(existing("--cwd", workingDirectory).toAbsolutePath())
            .memory(memory)
            .processes(processes)
            .timeout(timeout)
            .diagnostics(message -> Diagnostics.print(err, message));
    if (statistics) {
      builder = builder.statistics(counts -> StatisticsTable.print(err, counts));
    }
    if (strace == null) {
      return run(builder.build());
    }
    if (strace.equals(AttachedOnly.NONE)) {
      return run(builder.trace(err::println).build());
    }
    try (PrintStream file = new PrintStream(strace)) {
      return run(builder.trace(file::println).build());
    } catch (IOException e) {
      throw new CommandFailure("--strace=" + strace + ": " + e.getMessage(), e);
    }
  }

  private int run(Program wanted) {
    try (StubPool pool =
        StubPool.open(
            StubPoolOptions.builder()
                .name(NAME)
                .minIdle(1)
                .maxStubs(SandboxKernel.stubsFor(processes))
                .build())) {
      return new SandboxKernel(pool).run(wanted, SignalForwarding::to);
    }
  }

  private List<String> environment() {
    Map<String, String> all = new LinkedHashMap<>(System.getenv());
    all.putAll(environment);
    return all.entrySet().stream().map(entry -> entry.getKey() + "=" + entry.getValue()).toList();
  }

  private static Path existing(String option, Path path) {
    if (!Files.exists(path)) {
      throw new CommandFailure(option + " " + path + ": no such file or directory");
    }
    return path;
  }

  /** Looks up a program as shells do, execvp(3). */
  private static Path find(String name) {
    Path found = name.contains("/") ? Path.of(name) : search(name);
    if (!Files.exists(found)) {
      throw new CommandFailure(name + ": no such file");
    }
    if (!Files.isRegularFile(found) || !Files.isExecutable(found)) {
      throw new CommandFailure(found + " is not an executable file");
    }
    return found;
  }

  private static Path search(String name) {
    String directories = System.getenv().getOrDefault("PATH", DEFAULT_SEARCH_PATH);
    for (String directory : directories.split(":", -1)) {
      Path candidate = Path.of(directory).resolve(name);
      if (Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
        return candidate;
      }
    }
    throw new CommandFailure(name + ": not found in PATH");
  }
}
