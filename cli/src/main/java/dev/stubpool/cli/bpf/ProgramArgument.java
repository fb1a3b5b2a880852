package dev.stubpool.cli.bpf;

import picocli.CommandLine.Parameters;

/** The argument of commands that read one file. */
final class ProgramArgument {
  @Parameters(
      paramLabel = "FILE",
      arity = "0..1",
      defaultValue = InputFile.STANDARD_INPUT,
      description = "What to read; - is standard input, and the default.")
  private String name;

  InputFile file() {
    return new InputFile(name);
  }
}
