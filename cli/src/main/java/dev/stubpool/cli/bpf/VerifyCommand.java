package dev.stubpool.cli.bpf;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stubpool.cli.output.JsonOutput;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfVerifier;
import dev.stubpool.seccomp.bpf.BpfVerifier.Violation;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code stubpool bpf verify}. */
@Command(
    name = "verify",
    description =
        "Check whether the kernel would accept a program, and print its costs; if not, print"
            + " which instruction is wrong and why.",
    footer = {"", "Exit status: 0 accepted, 1 refused or failed, 2 wrong usage."})
final class VerifyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ProgramArgument argument;
  @Mixin private OutputOption output;

  @Option(names = "--json", description = "Print one JSON object instead.")
  private boolean json;

  @Override
  public Integer call() {
    List<BpfInstruction> instructions = argument.file().instructions();
    Optional<Violation> violation = BpfVerifier.verify(instructions);
    output.print(
        spec.commandLine().getOut(),
        to -> {
          if (violation.isPresent()) {
            refused(to, violation.get());
          } else {
            accepted(to, new CostReport(new BpfProgram(instructions)));
          }
        });
    return violation.isPresent() ? 1 : 0;
  }

  private void refused(PrintWriter to, Violation violation) {
    if (json) {
      JsonOutput.print(to, out -> write(out, violation));
    } else {
      to.println("refused: " + violation);
    }
  }

  private static void write(JsonGenerator out, Violation violation) throws IOException {
    out.writeBooleanField("accepted", false);
    out.writeStringField("rule", violation.rule().name());
    if (violation.index() < 0) {
      out.writeNullField("index");
    } else {
      out.writeNumberField("index", violation.index());
    }
    out.writeStringField("reason", violation.reason());
  }

  private void accepted(PrintWriter to, CostReport report) {
    if (json) {
      JsonOutput.print(
          to,
          out -> {
            out.writeBooleanField("accepted", true);
            report.write(out);
          });
    } else {
      to.println("accepted");
      report.print(to);
    }
  }
}
