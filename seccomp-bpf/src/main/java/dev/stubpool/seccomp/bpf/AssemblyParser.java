package dev.stubpool.seccomp.bpf;

import dev.stubpool.seccomp.bpf.AssemblyLexer.Kind;
import dev.stubpool.seccomp.bpf.AssemblyLexer.Token;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Parses the assembler language of {@code bpf_asm}. */
final class AssemblyParser extends TokenReader {

  private static final Map<String, Integer> ALU =
      Map.of(
          "add", Bpf.ADD,
          "sub", Bpf.SUB,
          "mul", Bpf.MUL,
          "div", Bpf.DIV,
          "mod", Bpf.MOD,
          "and", Bpf.AND,
          "or", Bpf.OR,
          "xor", Bpf.XOR,
          "lsh", Bpf.LSH,
          "rsh", Bpf.RSH);

  /** Conditional jumps that may have one or two labels. */
  private static final Map<String, Integer> TESTS =
      Map.of("jeq", Bpf.JEQ, "jgt", Bpf.JGT, "jge", Bpf.JGE, "jset", Bpf.JSET);

  /** Negated conditional jumps: their only label is the false target of the jump they negate. */
  private static final Map<String, Integer> NEGATED_TESTS =
      Map.of("jne", Bpf.JEQ, "jneq", Bpf.JEQ, "jlt", Bpf.JGE, "jle", Bpf.JGT);

  private static final Set<String> OTHERS =
      Set.of(
          "ld", "ldi", "ldb", "ldh", "ldx", "ldxi", "ldxb", "st", "stx", "jmp", "ja", "neg", "ret",
          "tax", "txa");

  /** The base of the negative offsets at which packet filters read ancillary data (SKF_AD_OFF). */
  private static final int EXTENSIONS_BASE = -0x1000;

  private static final Map<String, Integer> EXTENSIONS =
      Map.ofEntries(
          Map.entry("proto", 0),
          Map.entry("type", 4),
          Map.entry("ifidx", 8),
          Map.entry("nla", 12),
          Map.entry("nlan", 16),
          Map.entry("mark", 20),
          Map.entry("queue", 24),
          Map.entry("hatype", 28),
          Map.entry("rxhash", 32),
          Map.entry("cpu", 36),
          Map.entry("vlan_tci", 44),
          Map.entry("vlan_pr", 48),
          Map.entry("vlan_avail", 48),
          Map.entry("poff", 52),
          Map.entry("rand", 56),
          Map.entry("vlan_tpid", 60));

  /** The field of an instruction that a label is resolved to. */
  private enum Slot {
    JT,
    JF,
    K
  }

  /**
   * A reference to a label.
   *
   * @param index the index of the jump
   * @param slot the field that takes the distance
   * @param label the label
   */
  private record Reference(int index, Slot slot, Token label) {}

  private final Map<String, Integer> labels = new HashMap<>();
  private final List<Reference> references = new ArrayList<>();

  AssemblyParser(String text) {
    super(text);
  }

  BpfProgram parse() {
    boolean labelled = false;
    while (!atEnd()) {
      if (current().kind() == Kind.WORD && following().is(":")) {
        bind(takeLabel());
        expect(":");
        labelled = true;
      } else {
        Token mnemonic = take();
        add(instruction(mnemonic), mnemonic);
        labelled = false;
      }
    }
    if (labelled) {
      throw current().error("a label needs an instruction after it");
    }
    references.forEach(this::resolve);
    return program();
  }

  private void bind(Token label) {
    if (labels.putIfAbsent(label.text(), instructions().size()) != null) {
      throw label.error("label \"" + label.text() + "\" is already defined");
    }
  }

  private void resolve(Reference reference) {
    Token label = reference.label();
    Integer place = labels.get(label.text());
    if (place == null) {
      throw label.error("undefined label \"" + label.text() + "\"");
    }
    int distance = place - reference.index() - 1;
    if (distance < 0) {
      throw label.error("jumps only go forward, and label \"" + label.text() + "\" is not ahead");
    }
    BpfInstruction old = instructions().get(reference.index());
    if (reference.slot() != Slot.K && distance > 0xff) {
      throw label.error(
          "label \"%s\" is too far: a conditional jump skips at most 255 instructions, not %d"
              .formatted(label.text(), distance));
    }
    instructions()
        .set(
            reference.index(),
            switch (reference.slot()) {
              case JT -> new BpfInstruction(old.code(), distance, old.jf(), old.k());
              case JF -> new BpfInstruction(old.code(), old.jt(), distance, old.k());
              case K -> BpfInstruction.of(old.code(), distance);
            });
  }

  private BpfInstruction instruction(Token mnemonic) {
    String name = mnemonic.text().toLowerCase(Locale.ROOT);
    if (ALU.containsKey(name)) {
      return operation(Bpf.ALU | ALU.get(name));
    }
    if (TESTS.containsKey(name)) {
      BpfInstruction test = operation(Bpf.JMP | TESTS.get(name));
      expect(",");
      refer(Slot.JT);
      if (takeIf(",")) {
        refer(Slot.JF);
      }
      return test;
    }
    if (NEGATED_TESTS.containsKey(name)) {
      BpfInstruction test = operation(Bpf.JMP | NEGATED_TESTS.get(name));
      expect(",");
      refer(Slot.JF);
      return test;
    }
    return switch (name) {
      case "ld" -> load(Bpf.W);
      case "ldh" -> load(Bpf.H);
      case "ldb" -> load(Bpf.B);
      case "ldi" -> immediate(Bpf.LD);
      case "ldx" -> loadIndex();
      case "ldxi" -> immediate(Bpf.LDX);
      case "ldxb" -> headerLength();
      case "st" -> BpfInstruction.of(Bpf.ST, scratchWord());
      case "stx" -> BpfInstruction.of(Bpf.STX, scratchWord());
      case "ja", "jmp" -> {
        refer(Slot.K);
        yield BpfInstruction.of(Bpf.JMP | Bpf.JA, 0);
      }
      case "neg" -> BpfInstruction.of(Bpf.ALU | Bpf.NEG, 0);
      case "tax" -> BpfInstruction.of(Bpf.MISC | Bpf.TAX, 0);
      case "txa" -> BpfInstruction.of(Bpf.MISC | Bpf.TXA, 0);
      case "ret" -> result();
      case ".insn" -> verbatim();
      default -> throw mnemonic.error("expected an instruction, not " + mnemonic.shown());
    };
  }

  /** Parses an operand that is a constant or X. */
  private BpfInstruction operation(int code) {
    if (takeRegister("x")) {
      return BpfInstruction.of(code | Bpf.X, 0);
    }
    if (!takeIf("#")) {
      throw expected("\"#\" and a number, or \"x\"");
    }
    return BpfInstruction.of(code | Bpf.K, expectNumber());
  }

  private boolean takeRegister(String name) {
    if (current().is("%") && following().is(name)) {
      take();
    }
    return takeIf(name);
  }

  private BpfInstruction load(int size) {
    if (takeIf("[")) {
      boolean indirect = takeRegister("x");
      if (indirect && !current().text().startsWith("+")) {
        throw expected("\"+\"");
      }
      if (indirect) {
        takeIf("+");
      }
      int offset = expectNumber();
      expect("]");
      return BpfInstruction.of(Bpf.LD | size | (indirect ? Bpf.IND : Bpf.ABS), offset);
    }
    if (size == Bpf.W && current().is("m")) {
      return BpfInstruction.of(Bpf.LD | Bpf.MEM, scratchWord());
    }
    boolean hash = takeIf("#");
    String name = current().text().toLowerCase(Locale.ROOT);
    if (EXTENSIONS.containsKey(name)) {
      take();
      return BpfInstruction.of(Bpf.LD | size | Bpf.ABS, EXTENSIONS_BASE + EXTENSIONS.get(name));
    }
    if (size == Bpf.W && takeIf("len")) {
      return BpfInstruction.of(Bpf.LD | Bpf.W | Bpf.LEN, 0);
    }
    if (size == Bpf.W && hash) {
      return BpfInstruction.of(Bpf.LD | Bpf.IMM, expectNumber());
    }
    throw expected("what to load");
  }

  private BpfInstruction loadIndex() {
    if (current().is("m")) {
      return BpfInstruction.of(Bpf.LDX | Bpf.MEM, scratchWord());
    }
    if (current().kind() == Kind.NUMBER) {
      return headerLength();
    }
    boolean hash = takeIf("#");
    if (takeIf("len")) {
      return BpfInstruction.of(Bpf.LDX | Bpf.W | Bpf.LEN, 0);
    }
    if (!hash) {
      throw expected("what to load");
    }
    return BpfInstruction.of(Bpf.LDX | Bpf.IMM, expectNumber());
  }

  private BpfInstruction immediate(int register) {
    takeIf("#");
    return BpfInstruction.of(register | Bpf.IMM, expectNumber());
  }

  /** {@code 4*([k]&0xf)}. */
  private BpfInstruction headerLength() {
    expectExactly(4);
    expect("*");
    expect("(");
    expect("[");
    int offset = expectNumber();
    expect("]");
    expect("&");
    expectExactly(0xf);
    expect(")");
    return BpfInstruction.of(Bpf.LDX | Bpf.B | Bpf.MSH, offset);
  }

  private void expectExactly(int value) {
    if (current().kind() != Kind.NUMBER || current().value() != value) {
      throw expected(Integer.toString(value));
    }
    take();
  }

  private int scratchWord() {
    expect("M");
    expect("[");
    int index = expectNumber();
    expect("]");
    return index;
  }

  private BpfInstruction result() {
    if (takeRegister("a")) {
      return BpfInstruction.of(Bpf.RET | Bpf.A, 0);
    }
    return operation(Bpf.RET);
  }

  private BpfInstruction verbatim() {
    int code = expectNumber("code", 0xffff);
    expect(",");
    int jt = expectNumber("jt", 0xff);
    expect(",");
    int jf = expectNumber("jf", 0xff);
    expect(",");
    return new BpfInstruction(code, jt, jf, expectNumber());
  }

  private void refer(Slot slot) {
    references.add(new Reference(instructions().size(), slot, takeLabel()));
  }

  private Token takeLabel() {
    Token label = current();
    String name = label.text().toLowerCase(Locale.ROOT);
    boolean isReserved =
        ALU.containsKey(name)
            || TESTS.containsKey(name)
            || NEGATED_TESTS.containsKey(name)
            || OTHERS.contains(name)
            || name.startsWith(".")
            || Set.of("a", "x", "m").contains(name);
    if (label.kind() != Kind.WORD || isReserved) {
      throw expected("a label");
    }
    return take();
  }
}
