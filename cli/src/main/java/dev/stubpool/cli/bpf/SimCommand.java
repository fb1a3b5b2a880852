package dev.stubpool.cli.bpf;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.cli.output.JsonOutput;
import dev.stubpool.cli.output.Printable;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.bpf.BpfCoverage;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator.Result;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code stubpool bpf sim}. */
@Command(
    name = "sim",
    description = "Simulate the kernel's execution of a program on given system calls.",
    footer = {
      "",
      "A line of --cases is a JSON object:",
      "  {\"arch\":\"x86_64\",\"nr\":62,\"args\":[\"0x1\",\"19\"],\"ip\":\"0x1000\"}",
      "arch and nr are required; other fields and empty lines are ignored.",
      "For each case a line is printed:",
      "  {\"action\":\"ERRNO(1)\",\"ret\":\"0x00050001\",\"steps\":9}",
      "Actions: ALLOW, LOG, TRACE(n), NOTIFY, ERRNO(n), TRAP, KILL, KILL_PROCESS."
    })
final class SimCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ProgramArgument argument;
  @Mixin private OutputOption output;

  @Option(
      names = "--arch",
      paramLabel = "NAME",
      description = "The architecture, such as x86_64 (default), x86, x32, aarch64.")
  private String architecture = "x86_64";

  @Option(names = "--nr", paramLabel = "CALL", description = "The system call, name or number.")
  private String nr = "";

  @Option(
      names = "--arg",
      paramLabel = "N",
      description = "An argument, hexadecimal (0x) or decimal; repeated for each, in order.")
  private List<String> arguments = new ArrayList<>();

  @Option(names = "--ip", paramLabel = "N", description = "The instruction pointer.")
  private String instructionPointer = "0";

  @Option(
      names = "--cases",
      paramLabel = "CASES",
      description = "Read the calls from this file, one per line.")
  private String cases = "";

  @Option(
      names = "--coverage",
      description = "Print the coverage of the program at the end: one JSON object.")
  private boolean coverage;

  @Override
  public Integer call() {
    if (cases.isEmpty() == nr.isEmpty()) {
      throw usage("give either --nr or --cases");
    }
    if (!cases.isEmpty() && !arguments.isEmpty()) {
      throw usage("--arg requires --nr");
    }
    InputFile program = argument.file();
    InputFile lines = new InputFile(cases);
    if (program.isStandardInput() && lines.isStandardInput()) {
      throw usage("program and cases cannot both be standard input");
    }
    Consumer<Consumer<SeccompData>> source =
        cases.isEmpty() ? one(caseOfOptions()) : run -> readCases(lines, run);
    BpfCoverage runs = coverage(program);
    output.print(
        spec.commandLine().getOut(),
        to -> {
          source.accept(data -> print(to, runs.run(data)));
          if (coverage) {
            JsonOutput.print(to, json -> write(json, runs));
          }
        });
    return 0;
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private static BpfCoverage coverage(InputFile file) {
    BpfProgram program = file.program();
    try {
      return new BpfCoverage(program);
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(file.shown() + ": " + e.getMessage(), e);
    }
  }

  private static Consumer<Consumer<SeccompData>> one(SeccompData data) {
    return run -> run.accept(data);
  }

  private SeccompData caseOfOptions() {
    try {
      CallCase call = CallCase.of(architecture);
      if (arguments.size() > SeccompData.ARGUMENTS) {
        throw new IllegalArgumentException("a system call has at most six arguments");
      }
      List<Long> values = arguments.stream().map(text -> number("--arg", text)).toList();
      return call.data(call.number(nr), number("--ip", instructionPointer), values);
    } catch (IllegalArgumentException e) {
      throw usage(Printable.of(e.getMessage()));
    }
  }

  private static long number(String option, String text) {
    return Numbers.parse64(text)
        .orElseThrow(
            () -> new IllegalArgumentException(option + ": '" + text + "' is not a 64-bit number"));
  }

  private static void readCases(InputFile file, Consumer<SeccompData> run) {
    int number = 0;
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(file.open(), StandardCharsets.UTF_8))) {
      String line;
      while ((line = lines.readLine()) != null) {
        number++;
        if (!line.isBlank()) {
          run.accept(CaseReader.read(line));
        }
      }
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(
          "%s:%d: %s".formatted(file.shown(), number, Printable.of(e.getMessage())), e);
    } catch (IOException e) {
      throw file.failure(e);
    }
  }

  private static void print(PrintWriter to, Result result) {
    // Without a generator: a million cases would need a million of them.
    to.println(
        "{\"action\":\"%s\",\"ret\":\"0x%08x\",\"steps\":%d}"
            .formatted(ActionNames.of(result.action()), result.ret(), result.steps()));
  }

  private static void write(JsonGenerator json, BpfCoverage runs) throws IOException {
    write(json, "never_executed", runs.neverExecuted());
    write(json, "one_sided", runs.oneSided());
    write(json, "bytes_read", runs.bytesRead().stream().boxed().toList());
  }

  private static void write(JsonGenerator json, String name, List<Integer> numbers)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (int number : numbers) {
      json.writeNumber(number);
    }
    json.writeEndArray();
  }
}
