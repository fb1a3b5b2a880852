package dev.stubpool.cli.demo;

import dev.stubpool.StubPoolException;
import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.cli.output.JsonOutput;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code stubpool demo}. Even if a step fails, it finally counts the remaining stub processes and
 * reports them.
 */
@Command(
    name = "demo",
    description = "Forge stubs, use, recycle and close them; check and time each step.",
    footer = {
      "",
      "Figures, taken after the JVM has compiled the code that is timed:",
      "  create_us        one stub per request, from the request until it is ready",
      "  batch_us         all requests at once, from as many threads: the time until",
      "                   each has a stub, divided by their number",
      "  acquire_warm_ns  a request to a pool with idle stubs",
      "  recycle_us       from closing all leases until all stubs are idle again, their",
      "                   mappings gone, divided by their number",
      "  inject_us        a getpid in a stub, for another thread than its tracer",
      "  leaked           stub processes found in /proc after closing: anything but 0",
      "                   is a failure"
    })
public final class DemoCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--stubs",
      paramLabel = "N",
      defaultValue = "64",
      converter = StubCount.class,
      description = "How many stubs, 1 to " + StubCount.MOST + " (default: ${DEFAULT-VALUE}).")
  private Integer stubs;

  @Option(
      names = "--hold",
      description = {
        "Pause while the stubs live, and show their pids. Enter, end of",
        "input, SIGINT or SIGTERM continue; if standard input is",
        "/dev/null, only a signal does."
      })
  private boolean hold;

  @Option(names = "--json", description = "Print one JSON object instead.")
  private boolean json;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    Narrator narrator = new Narrator(json ? new PrintWriter(Writer.nullWriter()) : out);
    Census census = new Census();
    Figures figures = new Figures(stubs);
    try (HoldPoint holdPoint = hold ? holdPoint(out) : HoldPoint.NONE) {
      RuntimeException failure = null;
      try {
        new Demo(stubs, figures, census, narrator, holdPoint).run();
      } catch (StubPoolException | CommandFailure | UncheckedIOException e) {
        failure = e;
      }
      int leaked = count(census);
      figures.leaked(leaked);
      if (json) {
        JsonOutput.print(out, figures::writeTo);
      } else {
        narrator.last("leaked: " + leaked);
      }
      if (failure != null) {
        throw failure;
      }
      if (leaked != 0) {
        throw new CommandFailure(leaked + " stub processes remain: " + census.describeLeft());
      }
    }
    return 0;
  }

  /** With {@code --json}, standard output has only the JSON object. */
  private HoldPoint holdPoint(PrintWriter out) {
    PrintWriter err = spec.commandLine().getErr();
    return json
        ? new WaitingHoldPoint(err, "stubpool: ")
        : new WaitingHoldPoint(out, Narrator.INDENT);
  }

  private static int count(Census census) {
    try {
      return census.countLeft();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot count the remaining processes", e);
    }
  }
}
