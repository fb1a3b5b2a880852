package dev.stubpool.seccomp.bpf;

import dev.stubpool.seccomp.bpf.AssemblyLexer.Token;

/** Parses programs that are written as numbers. */
final class ListingParser extends TokenReader {

  ListingParser(String text) {
    super(text);
  }

  /** Reads <code>{ code, jt, jf, k },</code> for each instruction. */
  BpfProgram braces() {
    while (!atEnd()) {
      Token start = current();
      expect("{");
      add(instruction(","), start);
      expect("}");
      if (!takeIf(",") && !atEnd()) {
        throw expected("\",\"");
      }
    }
    return program();
  }

  /** Reads the number of instructions, and {@code code jt jf k} for each. */
  BpfProgram decimal() {
    Token start = current();
    int count = expectNumber("the number of instructions", Bpf.MAXINSNS);
    takeIf(",");
    while (!atEnd()) {
      add(instruction(""), current());
      takeIf(",");
    }
    if (instructions().size() != count) {
      throw start.error(
          "the number of instructions is said to be %d, but it is %d"
              .formatted(count, instructions().size()));
    }
    return program();
  }

  private BpfInstruction instruction(String separator) {
    int code = expectNumber("code", 0xffff);
    separate(separator);
    int jt = expectNumber("jt", 0xff);
    separate(separator);
    int jf = expectNumber("jf", 0xff);
    separate(separator);
    return new BpfInstruction(code, jt, jf, expectNumber());
  }

  private void separate(String separator) {
    if (!separator.isEmpty()) {
      expect(separator);
    }
  }
}
