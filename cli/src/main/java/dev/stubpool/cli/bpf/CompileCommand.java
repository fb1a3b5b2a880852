package dev.stubpool.cli.bpf;

import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.cli.output.Diagnostics;
import dev.stubpool.cli.output.JsonOutput;
import dev.stubpool.cli.output.Printable;
import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.compiler.CompilerOptions;
import dev.stubpool.seccomp.compiler.Optimization;
import dev.stubpool.seccomp.compiler.SeccompCompiler;
import dev.stubpool.seccomp.formats.FormatException;
import dev.stubpool.seccomp.formats.FormatWarning;
import dev.stubpool.seccomp.formats.KernelVersion;
import dev.stubpool.seccomp.formats.LoadContext;
import dev.stubpool.seccomp.formats.LoadedPolicy;
import dev.stubpool.seccomp.formats.MinijailOptions;
import dev.stubpool.seccomp.formats.MinijailPolicy;
import dev.stubpool.seccomp.formats.OciProfile;
import dev.stubpool.seccomp.proof.PolicyCheck;
import dev.stubpool.seccomp.proof.UndecidedException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code stubpool bpf compile}. */
@Command(
    name = "compile",
    description = "Compile a policy to a program.",
    footer = {
      "",
      "Statistics go to standard output if the program goes to a file, else to",
      "standard error. Call names in policies may be numbers."
    })
final class CompileCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ProgramArgument argument;
  @Mixin private OutputOption output;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description =
          "The format of the policy: oci or minijail; by default oci if it begins with a"
              + " brace.")
  private String format = "";

  @Option(names = "--optimize", paramLabel = "GOAL", description = "size, speed (default) or none.")
  private String optimize = "speed";

  @Option(
      names = "--arch",
      paramLabel = "NAME",
      description = "The native architecture: x86_64 (default), x86, aarch64, ...")
  private String architecture = "x86_64";

  @Option(
      names = "--cap",
      paramLabel = "CAP",
      description = "A capability of the process, such as CAP_SYS_ADMIN; may be repeated.")
  private Set<String> capabilities = new LinkedHashSet<>();

  @Option(
      names = "--kernel",
      paramLabel = "VERSION",
      description = "The version of the target kernel, such as 6.18; by default the newest.")
  private String kernel = "";

  @Option(names = "--text", description = "Write text instead, as disasm does.")
  private boolean text;

  @Option(names = "--stats", description = "Print the costs of the program.")
  private boolean stats;

  @Option(names = "--json", description = "Print the costs as one JSON object.")
  private boolean json;

  @Override
  public Integer call() {
    Optimization goal =
        option("--optimize", optimize, "size, speed or none", CompileCommand::optimization);
    LoadContext context = context();
    if (!Set.of("", "oci", "minijail").contains(format)) {
      throw usage("--format: '" + format + "' is not one of oci, minijail");
    }
    if (json && !stats) {
      throw usage("--json requires --stats");
    }
    LoadedPolicy policy = load(context);
    PrintWriter err = spec.commandLine().getErr();
    for (FormatWarning warning : policy.warnings()) {
      Diagnostics.print(err, Printable.of(warning.toString()));
    }
    report(err, policy.policy());
    BpfProgram program = compile(policy, goal);
    PrintWriter out = spec.commandLine().getOut();
    output.write(out, program, text);
    if (stats) {
      print(output.isStandardOutput() ? err : out, new CostReport(program));
    }
    return 0;
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), Printable.of(message));
  }

  private <T> T option(String name, String value, String values, Function<String, Optional<T>> of) {
    return of.apply(value)
        .orElseThrow(() -> usage(name + ": '" + value + "' is not one of " + values));
  }

  private static Optional<Optimization> optimization(String name) {
    return Arrays.stream(Optimization.values())
        .filter(goal -> goal.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst();
  }

  private LoadContext context() {
    Architecture known =
        option(
            "--arch",
            architecture,
            Arrays.stream(Architecture.values())
                .map(Architecture::label)
                .collect(Collectors.joining(", ")),
            Architecture::ofLabel);
    LoadContext context =
        LoadContext.DEFAULT
            .withFile(argument.file().shown())
            .withArchitecture(known)
            .withCapabilities(capabilities);
    if (kernel.isEmpty()) {
      return context;
    }
    try {
      return context.withKernel(KernelVersion.parse(kernel));
    } catch (IllegalArgumentException e) {
      throw usage("--kernel: " + e.getMessage());
    }
  }

  private LoadedPolicy load(LoadContext context) {
    String policy = argument.file().text();
    boolean isOci = format.isEmpty() ? policy.stripLeading().startsWith("{") : format.equals("oci");
    try {
      return isOci
          ? OciProfile.parse(policy, context)
          : MinijailPolicy.parse(
              policy,
              context,
              MinijailOptions.DEFAULT.withIncludes(MinijailOptions.Includes.FILES));
    } catch (FormatException e) {
      throw new CommandFailure(Printable.of(e.getMessage()), e);
    }
  }

  /** Reports rules without effect, which are likely mistakes. */
  private static void report(PrintWriter err, SeccompPolicy policy) {
    try {
      for (PolicyCheck.Finding finding : PolicyCheck.findings(policy)) {
        if (finding.kind() != PolicyCheck.Kind.NO_EFFECT) {
          Diagnostics.print(err, Printable.of(finding.message()));
        }
      }
    } catch (UndecidedException e) {
      Diagnostics.print(
          err, Printable.of("cannot check for rules without effect: " + e.getMessage()));
    }
  }

  private BpfProgram compile(LoadedPolicy policy, Optimization goal) {
    try {
      return SeccompCompiler.compile(policy.policy(), CompilerOptions.of(goal)).program();
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(argument.file().shown() + ": " + e.getMessage(), e);
    }
  }

  private void print(PrintWriter to, CostReport report) {
    if (json) {
      JsonOutput.print(to, report::write);
    } else {
      report.print(to);
      to.flush();
    }
  }
}
