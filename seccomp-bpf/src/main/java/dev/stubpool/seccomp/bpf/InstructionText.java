package dev.stubpool.seccomp.bpf;

import java.util.HexFormat;
import java.util.Optional;

/** Writes instructions as {@link BpfAssemblyText} parses them. */
final class InstructionText {

  private static final int SIZE_MASK = 0x18;
  private static final int MODE_MASK = 0xe0;
  private static final int OPERATION_MASK = 0xf0;

  private InstructionText() {}

  /**
   * One instruction in the assembler of {@code bpf_asm}, or as {@code .insn} if that cannot express
   * it.
   *
   * @param length the length of the program, which has labels on all instructions
   */
  static String of(BpfInstruction instruction, int pc, int length) {
    int code = instruction.code();
    Optional<String> text =
        code > 0xff
            ? Optional.empty()
            : switch (code & 0x07) {
              case Bpf.JMP -> jump(instruction, pc, length);
              default ->
                  instruction.jt() == 0 && instruction.jf() == 0
                      ? plain(code, instruction.k())
                      : Optional.empty();
            };
    return text.orElseGet(
        () ->
            ".insn 0x"
                + HexFormat.of().toHexDigits((char) code)
                + ", "
                + instruction.jt()
                + ", "
                + instruction.jf()
                + ", 0x"
                + Integer.toHexString(instruction.k()));
  }

  static String label(int pc) {
    return "l" + pc;
  }

  private static Optional<String> jump(BpfInstruction instruction, int pc, int length) {
    int code = instruction.code();
    int room = length - pc - 1;
    if (code == (Bpf.JMP | Bpf.JA)) {
      boolean isText =
          instruction.jt() == 0
              && instruction.jf() == 0
              && Integer.compareUnsigned(instruction.k(), room) < 0;
      return isText ? Optional.of("jmp " + label(pc + 1 + instruction.k())) : Optional.empty();
    }
    if (instruction.jt() >= room || instruction.jf() >= room) {
      return Optional.empty();
    }
    String targets =
        ", " + label(pc + 1 + instruction.jt()) + ", " + label(pc + 1 + instruction.jf());
    return switch (code & OPERATION_MASK) {
      case Bpf.JEQ -> operation("jeq", code, instruction.k(), targets);
      case Bpf.JGT -> operation("jgt", code, instruction.k(), targets);
      case Bpf.JGE -> operation("jge", code, instruction.k(), targets);
      case Bpf.JSET -> operation("jset", code, instruction.k(), targets);
      default -> Optional.empty();
    };
  }

  private static Optional<String> plain(int code, int k) {
    return switch (code & 0x07) {
      case Bpf.LD -> load(code, k);
      case Bpf.LDX -> loadIndex(code, k);
      case Bpf.ST -> code == Bpf.ST ? Optional.of("st " + memory(k)) : Optional.empty();
      case Bpf.STX -> code == Bpf.STX ? Optional.of("stx " + memory(k)) : Optional.empty();
      case Bpf.ALU -> arithmetic(code, k);
      case Bpf.RET -> result(code, k);
      default -> transfer(code, k);
    };
  }

  private static Optional<String> load(int code, int k) {
    String mnemonic =
        switch (code & SIZE_MASK) {
          case Bpf.W -> "ld ";
          case Bpf.H -> "ldh ";
          case Bpf.B -> "ldb ";
          default -> "";
        };
    if (mnemonic.isEmpty()) {
      return Optional.empty();
    }
    boolean isWord = (code & SIZE_MASK) == Bpf.W;
    return switch (code & MODE_MASK) {
      case Bpf.ABS -> Optional.of(mnemonic + "[" + Integer.toUnsignedString(k) + "]");
      case Bpf.IND -> Optional.of(mnemonic + "[x + " + Integer.toUnsignedString(k) + "]");
      case Bpf.IMM -> isWord ? Optional.of(mnemonic + constant(k)) : Optional.empty();
      case Bpf.MEM -> isWord ? Optional.of(mnemonic + memory(k)) : Optional.empty();
      case Bpf.LEN -> isWord && k == 0 ? Optional.of(mnemonic + "len") : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static Optional<String> loadIndex(int code, int k) {
    return switch (code) {
      case Bpf.LDX | Bpf.IMM -> Optional.of("ldx " + constant(k));
      case Bpf.LDX | Bpf.MEM -> Optional.of("ldx " + memory(k));
      case Bpf.LDX | Bpf.W | Bpf.LEN -> k == 0 ? Optional.of("ldx len") : Optional.empty();
      case Bpf.LDX | Bpf.B | Bpf.MSH ->
          Optional.of("ldxb 4*([" + Integer.toUnsignedString(k) + "]&0xf)");
      default -> Optional.empty();
    };
  }

  private static Optional<String> arithmetic(int code, int k) {
    return switch (code & OPERATION_MASK) {
      case Bpf.ADD -> operation("add", code, k, "");
      case Bpf.SUB -> operation("sub", code, k, "");
      case Bpf.MUL -> operation("mul", code, k, "");
      case Bpf.DIV -> operation("div", code, k, "");
      case Bpf.OR -> operation("or", code, k, "");
      case Bpf.AND -> operation("and", code, k, "");
      case Bpf.LSH -> operation("lsh", code, k, "");
      case Bpf.RSH -> operation("rsh", code, k, "");
      case Bpf.MOD -> operation("mod", code, k, "");
      case Bpf.XOR -> operation("xor", code, k, "");
      case Bpf.NEG -> code == (Bpf.ALU | Bpf.NEG) && k == 0 ? Optional.of("neg") : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static Optional<String> result(int code, int k) {
    return switch (code) {
      case Bpf.RET | Bpf.K -> Optional.of("ret " + constant(k));
      case Bpf.RET | Bpf.X -> k == 0 ? Optional.of("ret x") : Optional.empty();
      case Bpf.RET | Bpf.A -> k == 0 ? Optional.of("ret a") : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static Optional<String> transfer(int code, int k) {
    return switch (code) {
      case Bpf.MISC | Bpf.TAX -> k == 0 ? Optional.of("tax") : Optional.empty();
      case Bpf.MISC | Bpf.TXA -> k == 0 ? Optional.of("txa") : Optional.empty();
      default -> Optional.empty();
    };
  }

  /** An operation with operand X, which is only expressible if the constant is 0. */
  private static Optional<String> operation(String mnemonic, int code, int k, String rest) {
    if ((code & Bpf.X) == 0) {
      return Optional.of(mnemonic + " " + constant(k) + rest);
    }
    return k == 0 ? Optional.of(mnemonic + " x" + rest) : Optional.empty();
  }

  private static String constant(int k) {
    return "#0x" + Integer.toHexString(k);
  }

  private static String memory(int k) {
    return "M[" + Integer.toUnsignedString(k) + "]";
  }
}
