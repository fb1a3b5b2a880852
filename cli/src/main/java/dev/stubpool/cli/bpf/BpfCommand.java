package dev.stubpool.cli.bpf;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code stubpool bpf COMMAND}. */
@Command(
    name = "bpf",
    description =
        "Assemble, compile, verify, simulate and compare seccomp filters; none is installed.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      AsmCommand.class,
      DisasmCommand.class,
      VerifyCommand.class,
      SimCommand.class,
      CompileCommand.class,
      DiffCommand.class,
      AuditCommand.class
    },
    footer = {
      "",
      "A program is read from a file or standard input (-), as an array of",
      "struct sock_filter if a byte of it is 0, else as text: the assembler of the",
      "kernel's bpf_asm, or the numbers that bpf_asm and tcpdump -dd(d) print.",
      "Exit status: 0 done, 1 failed, refused or different, 2 wrong usage."
    })
public final class BpfCommand implements Runnable {
  @Spec private CommandSpec spec;

  /** Called if no command was given. */
  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "no command given");
  }
}
