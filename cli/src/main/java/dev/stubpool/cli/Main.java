package dev.stubpool.cli;

import dev.stubpool.cli.bpf.BpfCommand;
import dev.stubpool.cli.demo.DemoCommand;
import dev.stubpool.cli.inspect.InspectCommand;
import dev.stubpool.cli.inspect.MapsCommand;
import dev.stubpool.cli.inspect.PsCommand;
import dev.stubpool.cli.output.Diagnostics;
import dev.stubpool.cli.output.StandardOutput;
import dev.stubpool.cli.run.RunCommand;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command {@code stubpool}. Exit status: 0 done, 1 failed, 2 wrong usage. */
@Command(
    name = "stubpool",
    description = "Tiny traced, seccomp-locked processes for sandbox kernels on the JVM.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      RunCommand.class,
      PsCommand.class,
      InspectCommand.class,
      MapsCommand.class,
      BpfCommand.class
    },
    versionProvider = Main.Version.class,
    footer = {
      "",
      "For more about a command: stubpool COMMAND --help",
      "Exit status: 0 done, 1 failed, 2 wrong usage; run returns its program's."
    })
public final class Main implements Runnable {
  /** The system property that logback.xml reads; set before the first logger is created. */
  private static final String LOG_LEVEL_PROPERTY = "stubpool.log";

  @Spec private CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this help.")
  @SuppressWarnings("UnusedVariable") // picocli's own
  private boolean help;

  @Option(names = "--version", versionHelp = true, description = "Show the version.")
  @SuppressWarnings("UnusedVariable") // picocli's own
  private boolean version;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show stack traces and the library's log.")
  private boolean debug;

  /** Runs the command and ends the JVM. */
  public static void main(String[] arguments) {
    StandardOutput output = new StandardOutput();
    PrintWriter out = writer(output);
    PrintWriter err = writer(new FileOutputStream(FileDescriptor.err));
    int status = run(out, err, arguments);
    if (out.checkError()) {
      if (!output.isReaderGone()) {
        Diagnostics.print(err, "cannot write to standard output: " + output.failure());
      }
      status = Math.max(status, CommandLine.ExitCode.SOFTWARE);
    }
    System.exit(status);
  }

  private static PrintWriter writer(OutputStream stream) {
    return new PrintWriter(stream, true, Charset.defaultCharset());
  }

  /** Runs the command and returns its exit status. */
  static int run(PrintWriter out, PrintWriter err, String... arguments) {
    Main main = new Main();
    CommandLine commandLine =
        new CommandLine(main)
            .setOut(out)
            .setErr(err)
            .setExpandAtFiles(false) // a program's arguments are passed on unchanged
            .setExecutionStrategy(
                parsed -> {
                  main.prepareLog();
                  return new RunLast().execute(parsed);
                })
            .setParameterExceptionHandler(new UsageErrors())
            .setExecutionExceptionHandler(
                (failure, command, parsed) -> {
                  main.report(failure, command.getErr());
                  return CommandLine.ExitCode.SOFTWARE;
                });
    commandLine.getSubcommands().get(RunCommand.NAME).setStopAtPositional(true);
    try {
      return commandLine.execute(arguments);
    } catch (Error e) {
      // Such as OutOfMemoryError for lack of threads.
      main.report(e, err);
      return CommandLine.ExitCode.SOFTWARE;
    }
  }

  /** Called if no command was given. */
  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "no command given");
  }

  private void prepareLog() {
    if (debug) {
      System.setProperty(LOG_LEVEL_PROPERTY, "DEBUG");
    }
  }

  private void report(Throwable failure, PrintWriter err) {
    Diagnostics.print(err, Diagnostics.describe(failure));
    if (debug) {
      failure.printStackTrace(err);
      err.flush();
    }
  }

  /** Prints the version of this module, which the build sets. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version =
          Main.class.getModule().isNamed()
              ? Main.class.getModule().getDescriptor().rawVersion().orElse("(no version)")
              : "(no version)";
      return new String[] {
        "stubpool %s, Java %s, %s %s"
            .formatted(
                version,
                Runtime.version(),
                System.getProperty("os.name"),
                System.getProperty("os.version"))
      };
    }
  }
}
