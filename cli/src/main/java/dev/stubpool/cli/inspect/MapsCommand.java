package dev.stubpool.cli.inspect;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stubpool.cli.output.JsonOutput;
import dev.stubpool.cli.output.Printable;
import dev.stubpool.nativestubs.proc.ProcFs;
import dev.stubpool.nativestubs.proc.ProcMaps.Mapping;
import dev.stubpool.nativestubs.proc.ProcessStatus;
import dev.stubpool.nativestubs.proc.StatusFields;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stubpool maps PID}. */
@Command(
    name = "maps",
    description = "Show the mappings of a stub and their purposes.",
    footer = {
      "",
      "  image text         the stub's own code, shared by all stubs of a JVM",
      "  signal frame       where the kernel describes a fault (siginfo)",
      "  pid page (source)  where the kernel stores the pids of new stubs",
      "  [vsyscall]         the kernel's mapping in every process",
      "  guest              all others: mapped by the lease's holder"
    })
public final class MapsCommand implements Callable<Integer> {
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
    try {
      ProcessStatus status = StubLookup.find(pid);
      int tracer = ProcFs.SYSTEM.fields(pid).map(StatusFields::tracer).orElse(0);
      StubMappings mappings = StubMappings.of(pid);
      PrintWriter out = spec.commandLine().getOut();
      if (json) {
        JsonOutput.print(out, to -> write(to, status, tracer, mappings));
      } else {
        print(out, status, tracer, mappings);
      }
      return 0;
    } catch (IOException e) {
      throw StubLookup.failure(pid, e);
    }
  }

  private static void print(
      PrintWriter out, ProcessStatus status, int tracer, StubMappings mappings) throws IOException {
    out.printf(
        "pid %d  %s  %s (%s)  tracer %s  parent %s%n",
        status.pid(),
        status.comm(),
        status.stateWord(),
        status.state(),
        tracer == 0 ? "none" : named(tracer),
        named(status.parent()));
    for (Mapping mapping : mappings.all()) {
      out.println(mappings.line(mapping));
    }
    if (!mappings.hasImage()) {
      out.println(
          "no stub image: the process is just starting or ending, or only has a stub's name");
    }
    out.flush();
  }

  private static String named(int pid) throws IOException {
    return pid
        + ProcFs.SYSTEM
            .status(pid)
            .map(status -> " (" + Printable.of(status.comm()) + ")")
            .orElse("");
  }

  private static void write(
      JsonGenerator json, ProcessStatus status, int tracer, StubMappings mappings)
      throws IOException {
    json.writeNumberField("pid", status.pid());
    json.writeStringField("comm", status.comm());
    json.writeStringField("state", String.valueOf(status.state()));
    json.writeNumberField("tracer_pid", tracer);
    json.writeNumberField("parent_pid", status.parent());
    json.writeArrayFieldStart("mappings");
    for (Mapping mapping : mappings.all()) {
      json.writeStartObject();
      json.writeStringField("start", "0x" + Long.toHexString(mapping.start()));
      json.writeStringField("end", "0x" + Long.toHexString(mapping.end()));
      json.writeStringField("permissions", mapping.permissions());
      json.writeNumberField("offset", mapping.offset());
      json.writeNumberField("inode", mapping.inode());
      json.writeStringField("name", mapping.name());
      json.writeStringField("purpose", mappings.purpose(mapping));
      json.writeEndObject();
    }
    json.writeEndArray();
  }
}
