package dev.stubpool.cli.bpf;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.cli.output.JsonOutput;
import dev.stubpool.seccomp.audit.Finding;
import dev.stubpool.seccomp.audit.SeccompAudit;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code stubpool bpf audit}. */
@Command(
    name = "audit",
    description = "Report common mistakes in a filter, the most severe first.",
    footer = {"", "Exit status: 0 audited, with or without findings; 1 failed, 2 wrong usage."})
final class AuditCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ProgramArgument argument;
  @Mixin private OutputOption output;

  @Option(names = "--json", description = "Print one JSON object instead.")
  private boolean json;

  @Override
  public Integer call() {
    List<Finding> findings = audit(argument.file());
    output.print(spec.commandLine().getOut(), to -> print(to, findings));
    return 0;
  }

  private static List<Finding> audit(InputFile file) {
    try {
      return SeccompAudit.audit(file.program());
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(file.shown() + ": " + e.getMessage(), e);
    }
  }

  private void print(PrintWriter to, List<Finding> findings) {
    if (json) {
      JsonOutput.print(to, out -> write(out, findings));
      return;
    }
    if (findings.isEmpty()) {
      to.println("nothing found");
    }
    for (Finding finding : findings) {
      to.println(finding);
      finding.example().ifPresent(data -> to.println("  such as " + CallText.of(data)));
      finding.instruction().ifPresent(pc -> to.println("  from instruction " + pc));
    }
  }

  private static void write(JsonGenerator out, List<Finding> findings) throws IOException {
    out.writeArrayFieldStart("findings");
    for (Finding finding : findings) {
      out.writeStartObject();
      out.writeStringField("id", finding.check().id());
      out.writeStringField("severity", finding.check().severity().name().toLowerCase(Locale.ROOT));
      out.writeStringField("message", finding.message());
      if (finding.architecture().isPresent()) {
        out.writeStringField("arch", finding.architecture().get().label());
      }
      if (finding.call().isPresent()) {
        out.writeStringField("call", finding.call().get());
      }
      if (finding.example().isPresent()) {
        CallText.write(out, "example", finding.example().get());
      }
      if (finding.instruction().isPresent()) {
        out.writeNumberField("instruction", finding.instruction().getAsInt());
      }
      out.writeEndObject();
    }
    out.writeEndArray();
  }
}
