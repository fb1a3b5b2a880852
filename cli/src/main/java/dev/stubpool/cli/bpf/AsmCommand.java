package dev.stubpool.cli.bpf;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code stubpool bpf asm}. */
@Command(
    name = "asm",
    description = "Assemble a program: from text to an array of struct sock_filter.",
    footer = {
      "",
      "Programs that the kernel would refuse are assembled, too; see: stubpool bpf verify"
    })
final class AsmCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ProgramArgument argument;
  @Mixin private OutputOption output;

  @Option(names = "--text", description = "Write text instead, as disasm does.")
  private boolean text;

  @Override
  public Integer call() {
    output.write(spec.commandLine().getOut(), argument.file().program(), text);
    return 0;
  }
}
