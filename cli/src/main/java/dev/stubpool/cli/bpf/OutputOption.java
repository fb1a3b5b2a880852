package dev.stubpool.cli.bpf;

import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.cli.output.Diagnostics;
import dev.stubpool.cli.output.Printable;
import dev.stubpool.cli.output.StandardOutput;
import dev.stubpool.seccomp.bpf.BpfDisassembler;
import dev.stubpool.seccomp.bpf.BpfProgram;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/** The option for the output file of a command. */
final class OutputOption {
  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Write to this file, not to standard output.")
  private String name = InputFile.STANDARD_INPUT;

  boolean isStandardOutput() {
    return name.equals("-");
  }

  /** Writes a program, binary or as text. */
  void write(PrintWriter out, BpfProgram program, boolean asText) {
    if (asText) {
      print(out, to -> to.print(BpfDisassembler.disassemble(program)));
    } else {
      write(out, program.toBytes());
    }
  }

  /** Writes lines, all of them or none. */
  void print(PrintWriter out, Consumer<PrintWriter> lines) {
    if (isStandardOutput()) {
      lines.accept(out);
      out.flush();
    } else {
      StringWriter text = new StringWriter();
      PrintWriter writer = new PrintWriter(text);
      lines.accept(writer);
      writer.flush();
      write(out, text.toString().getBytes(StandardCharsets.UTF_8));
    }
  }

  private void write(PrintWriter out, byte[] bytes) {
    if (isStandardOutput()) {
      out.flush();
      StandardOutput output = new StandardOutput();
      try {
        output.write(bytes, 0, bytes.length);
      } catch (IOException e) {
        if (!output.isReaderGone()) {
          throw new CommandFailure(
              "cannot write to standard output: " + Diagnostics.describe(e), e);
        }
      }
      return;
    }
    try (OutputStream file = new FileOutputStream(name)) {
      file.write(bytes);
    } catch (IOException e) {
      throw new CommandFailure("cannot write: " + Printable.of(Diagnostics.describe(e)), e);
    }
  }
}
