package dev.stubpool.seccomp.bpf;

import dev.stubpool.seccomp.bpf.AssemblyLexer.Kind;
import dev.stubpool.seccomp.bpf.AssemblyLexer.Token;
import java.util.ArrayList;
import java.util.List;

/** Base of the parsers: consumes tokens in order and collects instructions. */
class TokenReader {

  private final AssemblyLexer lexer;
  private final List<BpfInstruction> instructions = new ArrayList<>();
  private Token current;
  private Token following;

  TokenReader(String text) {
    lexer = new AssemblyLexer(text);
    current = lexer.next();
    following = lexer.next();
  }

  final Token current() {
    return current;
  }

  final Token following() {
    return following;
  }

  final boolean atEnd() {
    return current.kind() == Kind.END;
  }

  final Token take() {
    Token taken = current;
    current = following;
    following = lexer.next();
    return taken;
  }

  /** Consumes the token if it is the expected one, ignoring case. */
  final boolean takeIf(String expected) {
    boolean found = current.is(expected);
    if (found) {
      take();
    }
    return found;
  }

  final void expect(String expected) {
    if (!takeIf(expected)) {
      throw expected("\"" + expected + "\"");
    }
  }

  final int expectNumber() {
    if (current.kind() != Kind.NUMBER) {
      throw expected("a number");
    }
    return take().value();
  }

  final int expectNumber(String name, int max) {
    Token token = current;
    int value = expectNumber();
    if (value < 0 || value > max) {
      throw token.error("%s must be 0 to %d: %s".formatted(name, max, token.text()));
    }
    return value;
  }

  final BpfSyntaxException expected(String what) {
    return current.error("expected " + what + ", not " + current.shown());
  }

  final List<BpfInstruction> instructions() {
    return instructions;
  }

  /** Adds an instruction that begins at a token. */
  final void add(BpfInstruction instruction, Token start) {
    if (instructions.size() == Bpf.MAXINSNS) {
      throw start.error("a program has at most " + Bpf.MAXINSNS + " instructions");
    }
    instructions.add(instruction);
  }

  final BpfProgram program() {
    if (instructions.isEmpty()) {
      throw current.error("there is no instruction");
    }
    return new BpfProgram(instructions);
  }
}
