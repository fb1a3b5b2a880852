package dev.stubpool.cli.run;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.cli.output.Diagnostics;
import dev.stubpool.kernel.Program;
import dev.stubpool.kernel.SandboxKernel;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
        "Run a static x86-64 program in a stub, its system calls served by a kernel in Java.",
    customSynopsis = "stubpool run [--ro PATH]... [--strace] -- PROGRAM [ARGUMENT]...",
    footer = {
      "",
      "The program sees itself, what --ro names, and null, zero and urandom in /dev.",
      "It gets this environment, and these standard streams.",
      "Exit status: the program's; 128 and the signal's number if one ended it; 1 if",
      "it could not be run, 2 wrong usage."
    })
public final class RunCommand implements Callable<Integer> {
  /** The command's name. */
  public static final String NAME = "run";

  private static final String DEFAULT_SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin";

  @Spec private CommandSpec spec;

  @Option(
      names = "--ro",
      paramLabel = "PATH",
      description = "A file or directory that the program may read.")
  private List<Path> readOnly = List.of();

  @Option(names = "--strace", description = "Print its system calls to standard error.")
  private boolean strace;

  @Parameters(
      index = "0",
      paramLabel = "PROGRAM",
      description = "A path, or a name that is looked up in PATH.")
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
            .environment(
                System.getenv().entrySet().stream()
                    .map(entry -> entry.getKey() + "=" + entry.getValue())
                    .toList())
            .readOnly(readOnly.stream().map(RunCommand::existing).toList())
            .diagnostics(message -> Diagnostics.print(err, message));
    if (strace) {
      builder = builder.trace(err::println);
    }
    try (StubPool pool =
        StubPool.open(StubPoolOptions.builder().name(NAME).minIdle(0).maxStubs(1).build())) {
      return new SandboxKernel(pool).run(builder.build());
    }
  }

  private static Path existing(Path path) {
    if (!Files.exists(path)) {
      throw new CommandFailure("--ro " + path + ": no such file or directory");
    }
    return path;
  }

  /** As shells do, execvp(3). */
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
