package dev.stubpool.cli.bpf;

import picocli.CommandLine.Parameters;

/** The parameter of commands that read one file. */
final class ProgramArgument {
  @Parameters(
      paramLabel = "FILE",
      arity = "0..1",
      defaultValue = InputFile.STANDARD_INPUT,
      description = "The file to read; - (the default) is standard input.")
  private String name;

  InputFile file() {
    return new InputFile(name);
  }
}
