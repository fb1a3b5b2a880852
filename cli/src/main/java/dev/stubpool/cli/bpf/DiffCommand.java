package dev.stubpool.cli.bpf;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.cli.output.JsonOutput;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import dev.stubpool.seccomp.bpf.BpfVerifier;
import dev.stubpool.seccomp.proof.BpfEquivalence;
import dev.stubpool.seccomp.proof.BpfEquivalence.Differs;
import dev.stubpool.seccomp.proof.BpfEquivalence.Equal;
import dev.stubpool.seccomp.proof.BpfEquivalence.Undecided;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stubpool bpf diff}. */
@Command(
    name = "diff",
    description =
        "Prove that two programs give the same answer to every system call, or show one that they"
            + " answer differently.",
    footer = {"", "Exit status: 0 equal, 1 different or failed, 2 wrong usage."})
final class DiffCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private OutputOption output;

  @Parameters(index = "0", paramLabel = "A", description = "A program; - is standard input.")
  private String a;

  @Parameters(
      index = "1",
      arity = "0..1",
      defaultValue = InputFile.STANDARD_INPUT,
      paramLabel = "B",
      description = "Another one; - (the default) is standard input.")
  private String b;

  @Option(names = "--json", description = "Print one JSON object instead.")
  private boolean json;

  @Override
  public Integer call() {
    InputFile first = new InputFile(a);
    InputFile second = new InputFile(b);
    if (first.isStandardInput() && second.isStandardInput()) {
      throw new ParameterException(
          spec.commandLine(), "the programs cannot both be standard input");
    }
    BpfEquivalence.Result result = BpfEquivalence.compare(valid(first), valid(second));
    PrintWriter out = spec.commandLine().getOut();
    return switch (result) {
      case Equal _ -> {
        output.print(out, this::printEqual);
        yield 0;
      }
      case Differs differs -> {
        output.print(out, to -> print(to, differs));
        yield 1;
      }
      case Undecided(String reason) ->
          throw new CommandFailure("cannot decide whether the programs are equal: " + reason);
    };
  }

  private static BpfProgram valid(InputFile file) {
    try {
      return BpfVerifier.requireValid(file.program());
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(file.shown() + ": " + e.getMessage(), e);
    }
  }

  private void printEqual(PrintWriter to) {
    if (json) {
      JsonOutput.print(to, out -> out.writeBooleanField("equal", true));
    } else {
      to.println("equal");
    }
  }

  private void print(PrintWriter to, Differs differs) {
    if (json) {
      JsonOutput.print(to, out -> write(out, differs));
    } else {
      to.println("different: " + CallText.of(differs.input()));
      to.println("A: " + ActionNames.of(differs.first().action()));
      to.println("B: " + ActionNames.of(differs.second().action()));
    }
  }

  private static void write(JsonGenerator out, Differs differs) throws IOException {
    out.writeBooleanField("equal", false);
    CallText.write(out, "input", differs.input());
    write(out, "a", differs.first());
    write(out, "b", differs.second());
  }

  private static void write(JsonGenerator out, String field, BpfSimulator.Result result)
      throws IOException {
    out.writeObjectFieldStart(field);
    out.writeStringField("action", ActionNames.of(result.action()));
    out.writeStringField("ret", "0x%08x".formatted(result.ret()));
    out.writeNumberField("steps", result.steps());
    out.writeEndObject();
  }
}
