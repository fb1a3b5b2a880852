package dev.stubpool.cli.bpf;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code stubpool bpf disasm}. */
@Command(
    name = "disasm",
    description =
        "Disassemble a program to text, with the names of calls, arguments and actions;"
            + " asm assembles it to the same program.")
final class DisasmCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ProgramArgument argument;
  @Mixin private OutputOption output;

  @Override
  public Integer call() {
    output.write(spec.commandLine().getOut(), argument.file().program(), true);
    return 0;
  }
}
