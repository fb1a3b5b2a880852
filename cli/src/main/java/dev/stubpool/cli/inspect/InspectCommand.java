package dev.stubpool.cli.inspect;

import dev.stubpool.cli.output.Diagnostics;
import dev.stubpool.cli.output.JsonOutput;
import dev.stubpool.nativestubs.proc.ProcFs;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stubpool inspect PID}. */
@Command(
    name = "inspect",
    description = "Show a stub's state, the pool and JVM that control it, and its restrictions.",
    footer = {
      "",
      "Only reads what /proc and the pool publish; the stub is not disturbed.",
      "For its mappings: stubpool maps PID."
    })
public final class InspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "PID",
      converter = PidConverter.class,
      description = "A stub, of any JVM; find them with: stubpool ps")
  private Integer pid;

  @Option(names = "--json", description = "Print one JSON object instead.")
  private boolean json;

  @Override
  public Integer call() {
    Inspection stub;
    try {
      stub =
          Inspection.of(ProcFs.SYSTEM, StubLookup.find(pid))
              .orElseThrow(() -> StubLookup.noProcess(pid));
    } catch (IOException e) {
      throw StubLookup.failure(pid, e);
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      JsonOutput.print(out, to -> InspectionJson.write(to, stub));
    } else {
      InspectionText.print(out, stub);
    }
    if (stub.isPartial()) {
      Diagnostics.print(
          spec.commandLine().getErr(),
          "some of it is not readable; run as the stub's user or as root");
    }
    return 0;
  }
}
