package dev.stubpool.cli.bpf;

import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.cli.output.Diagnostics;
import dev.stubpool.cli.output.Printable;
import dev.stubpool.seccomp.bpf.BpfAssemblyText;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSyntaxException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;

/**
 * An input of a command: a file or standard input.
 *
 * @param name the file's path; {@code -} is standard input
 */
record InputFile(String name) {

  static final String STANDARD_INPUT = "-";

  /** The limit for the size in bytes; more than any program or policy needs. */
  private static final int MAX_SIZE = 1 << 24;

  /** The name in messages. */
  String shown() {
    return isStandardInput() ? "standard input" : Printable.of(name);
  }

  boolean isStandardInput() {
    return name.equals(STANDARD_INPUT);
  }

  /** Reads all bytes. */
  byte[] bytes() {
    try (InputStream in = open()) {
      byte[] bytes = in.readNBytes(MAX_SIZE + 1);
      if (bytes.length > MAX_SIZE) {
        throw new CommandFailure(shown() + ": more than " + MAX_SIZE + " bytes");
      }
      return bytes;
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /** Opens it, to be read incrementally. */
  InputStream open() throws IOException {
    return isStandardInput() ? System.in : new FileInputStream(name);
  }

  CommandFailure failure(IOException e) {
    String reason = e instanceof NoSuchFileException ? "no such file" : Diagnostics.describe(e);
    // FileInputStream's messages contain the name: "x (No such file or directory)".
    String prefix = name + " (";
    boolean isNamed = reason.startsWith(prefix) && reason.endsWith(")");
    return new CommandFailure(
        "cannot read "
            + shown()
            + ": "
            + Printable.of(
                isNamed ? reason.substring(prefix.length(), reason.length() - 1) : reason),
        e);
  }

  /** Reads it as UTF-8 text. */
  String text() {
    return text(bytes());
  }

  private String text(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new CommandFailure(shown() + ": neither text in UTF-8 nor a program", e);
    }
  }

  /** Reads a program, binary or as text. */
  BpfProgram program() {
    List<BpfInstruction> instructions = instructions();
    try {
      return new BpfProgram(instructions);
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(shown() + ": " + e.getMessage(), e);
    }
  }

  /** Reads a program, binary or as text; a binary one may have any length. */
  List<BpfInstruction> instructions() {
    byte[] bytes = bytes();
    boolean isRaw = false;
    for (byte b : bytes) {
      isRaw |= b == 0;
    }
    if (isRaw) {
      return raw(bytes);
    }
    try {
      return BpfAssemblyText.parse(text(bytes)).instructions();
    } catch (BpfSyntaxException e) {
      throw new CommandFailure(
          "%s:%d:%d: %s".formatted(shown(), e.line(), e.column(), Printable.of(e.reason())), e);
    }
  }

  private List<BpfInstruction> raw(byte[] bytes) {
    if (bytes.length % BpfInstruction.SIZE != 0) {
      throw new CommandFailure(
          "%s: contains a zero byte, so it is not text; and %d bytes are not an array of instructions of %d bytes each"
              .formatted(shown(), bytes.length, BpfInstruction.SIZE));
    }
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    List<BpfInstruction> instructions = new ArrayList<>();
    while (in.hasRemaining()) {
      int code = Short.toUnsignedInt(in.getShort());
      int jt = Byte.toUnsignedInt(in.get());
      int jf = Byte.toUnsignedInt(in.get());
      instructions.add(new BpfInstruction(code, jt, jf, in.getInt()));
    }
    return instructions;
  }
}
