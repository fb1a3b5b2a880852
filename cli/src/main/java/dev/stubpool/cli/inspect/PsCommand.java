package dev.stubpool.cli.inspect;

import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.cli.output.Diagnostics;
import dev.stubpool.cli.output.JsonOutput;
import dev.stubpool.cli.pools.JvmStubs;
import dev.stubpool.cli.pools.Survey;
import dev.stubpool.nativestubs.proc.ProcFs;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code stubpool ps}. */
@Command(
    name = "ps",
    description = "List the stubs of all JVMs on this machine and their states.",
    footer = {
      "",
      "Sorted by JVM, pool and pid; the source stub of a pool is first. Columns:",
      "  JVM      the stub's parent, the process that owns the pool",
      "  STATE    source, forging, idle, leased, resetting or dead; - if the pool does",
      "           not publish it; untraced if no thread traces it, as after the end of",
      "           its JVM",
      "  FOR      how long it has been in that state, to about 1 s",
      "  LEASE    the number of the current lease",
      "  S        the process state, as in ps(1); t (traced) is normal",
      "  RSS      resident memory, in kB"
    })
public final class PsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(names = "--json", description = "Print one JSON object instead.")
  private boolean json;

  @Override
  public Integer call() {
    List<JvmStubs> jvms;
    try {
      jvms = new Survey(ProcFs.SYSTEM, System::nanoTime).all();
    } catch (IOException e) {
      throw new CommandFailure("cannot list processes: " + Diagnostics.describe(e), e);
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      JsonOutput.print(out, to -> PsJson.write(to, jvms));
    } else {
      PsTable.print(out, jvms);
    }
    remark(jvms);
    return 0;
  }

  /** Prints why the list may be incomplete. */
  private void remark(List<JvmStubs> jvms) {
    PrintWriter err = spec.commandLine().getErr();
    if (jvms.isEmpty() && !json) {
      Diagnostics.print(err, "no stubs found");
    }
    List<JvmStubs> silent = jvms.stream().filter(JvmStubs::isSilent).toList();
    String denied =
        silent.stream()
            .filter(JvmStubs::isDenied)
            .map(jvm -> Integer.toString(jvm.jvm()))
            .collect(Collectors.joining(", "));
    if (!denied.isEmpty()) {
      Diagnostics.print(
          err,
          "states of the stubs of JVM " + denied + " are not readable; run as its user or as root");
    }
    for (JvmStubs jvm : silent) {
      if (jvm.unknownTables() > 0) {
        Diagnostics.print(
            err,
            "JVM " + jvm.jvm() + " publishes its stubs in a format that this version cannot read");
      }
    }
  }
}
