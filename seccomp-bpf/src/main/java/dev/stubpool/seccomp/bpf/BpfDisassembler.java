package dev.stubpool.seccomp.bpf;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompField;
import java.util.List;

/**
 * Shows programs to people: one instruction a line, with its index, in the notation of the kernel's
 * {@code bpf_asm}; jumps name the indices they lead to, if the condition holds and if not.
 *
 * <p>Comments name the words of {@code struct seccomp_data}, the actions, and the architecture
 * where one is compared with right after its load:
 *
 * <pre>
 *    0: ld [4]                          ; arch
 *    1: jeq #0xc000003e, 2, 5           ; X86_64
 *    2: ld [0]                          ; nr
 *    3: jeq #0x27, 4, 5
 *    4: ret #0x7fff0000                 ; ALLOW
 *    5: ret #0x30000                    ; TRAP(0)
 * </pre>
 *
 * <p>Any program can be shown, also one that the kernel refuses.
 */
public final class BpfDisassembler {

  private static final int COMMENT_COLUMN = 31;

  private BpfDisassembler() {}

  /**
   * Shows a program.
   *
   * @param program the program
   * @return a line for each instruction, each ended by {@code \n}
   */
  public static String disassemble(BpfProgram program) {
    StringBuilder out = new StringBuilder();
    List<BpfInstruction> instructions = program.instructions();
    for (int pc = 0; pc < instructions.size(); pc++) {
      BpfInstruction instruction = instructions.get(pc);
      String text = text(instruction, pc);
      String comment = comment(instruction, pc == 0 ? instruction : instructions.get(pc - 1));
      out.append("%4d: ".formatted(pc)).append(text);
      if (!comment.isEmpty()) {
        out.repeat(' ', Math.max(1, COMMENT_COLUMN - text.length())).append("; ").append(comment);
      }
      out.append('\n');
    }
    return out.toString();
  }

  private static String text(BpfInstruction instruction, int pc) {
    int k = instruction.k();
    return switch (instruction.code()) {
      case Bpf.LD | Bpf.W | Bpf.ABS -> "ld [" + Integer.toUnsignedString(k) + "]";
      case Bpf.LD | Bpf.W | Bpf.LEN -> "ld len";
      case Bpf.LD | Bpf.IMM -> "ld " + constant(k);
      case Bpf.LD | Bpf.MEM -> "ld " + memory(k);
      case Bpf.LDX | Bpf.W | Bpf.LEN -> "ldx len";
      case Bpf.LDX | Bpf.IMM -> "ldx " + constant(k);
      case Bpf.LDX | Bpf.MEM -> "ldx " + memory(k);
      case Bpf.ST -> "st " + memory(k);
      case Bpf.STX -> "stx " + memory(k);

      case Bpf.ALU | Bpf.ADD | Bpf.K -> "add " + constant(k);
      case Bpf.ALU | Bpf.ADD | Bpf.X -> "add x";
      case Bpf.ALU | Bpf.SUB | Bpf.K -> "sub " + constant(k);
      case Bpf.ALU | Bpf.SUB | Bpf.X -> "sub x";
      case Bpf.ALU | Bpf.MUL | Bpf.K -> "mul " + constant(k);
      case Bpf.ALU | Bpf.MUL | Bpf.X -> "mul x";
      case Bpf.ALU | Bpf.DIV | Bpf.K -> "div " + constant(k);
      case Bpf.ALU | Bpf.DIV | Bpf.X -> "div x";
      case Bpf.ALU | Bpf.OR | Bpf.K -> "or " + constant(k);
      case Bpf.ALU | Bpf.OR | Bpf.X -> "or x";
      case Bpf.ALU | Bpf.AND | Bpf.K -> "and " + constant(k);
      case Bpf.ALU | Bpf.AND | Bpf.X -> "and x";
      case Bpf.ALU | Bpf.XOR | Bpf.K -> "xor " + constant(k);
      case Bpf.ALU | Bpf.XOR | Bpf.X -> "xor x";
      case Bpf.ALU | Bpf.LSH | Bpf.K -> "lsh " + constant(k);
      case Bpf.ALU | Bpf.LSH | Bpf.X -> "lsh x";
      case Bpf.ALU | Bpf.RSH | Bpf.K -> "rsh " + constant(k);
      case Bpf.ALU | Bpf.RSH | Bpf.X -> "rsh x";
      case Bpf.ALU | Bpf.NEG -> "neg";
      case Bpf.MISC | Bpf.TAX -> "tax";
      case Bpf.MISC | Bpf.TXA -> "txa";

      case Bpf.JMP | Bpf.JA -> "ja " + (pc + 1 + Integer.toUnsignedLong(k));
      case Bpf.JMP | Bpf.JEQ | Bpf.K -> "jeq " + constant(k) + targets(instruction, pc);
      case Bpf.JMP | Bpf.JEQ | Bpf.X -> "jeq x" + targets(instruction, pc);
      case Bpf.JMP | Bpf.JGT | Bpf.K -> "jgt " + constant(k) + targets(instruction, pc);
      case Bpf.JMP | Bpf.JGT | Bpf.X -> "jgt x" + targets(instruction, pc);
      case Bpf.JMP | Bpf.JGE | Bpf.K -> "jge " + constant(k) + targets(instruction, pc);
      case Bpf.JMP | Bpf.JGE | Bpf.X -> "jge x" + targets(instruction, pc);
      case Bpf.JMP | Bpf.JSET | Bpf.K -> "jset " + constant(k) + targets(instruction, pc);
      case Bpf.JMP | Bpf.JSET | Bpf.X -> "jset x" + targets(instruction, pc);

      case Bpf.RET | Bpf.K -> "ret " + constant(k);
      case Bpf.RET | Bpf.A -> "ret a";

      default ->
          "unknown 0x%04x %d %d 0x%x"
              .formatted(instruction.code(), instruction.jt(), instruction.jf(), k);
    };
  }

  private static String comment(BpfInstruction instruction, BpfInstruction previous) {
    int k = instruction.k();
    return switch (instruction.code()) {
      case Bpf.LD | Bpf.W | Bpf.ABS -> wordName(k);
      case Bpf.RET | Bpf.K -> action(k);
      case Bpf.JMP | Bpf.JEQ | Bpf.K ->
          loads(previous, SeccompData.ARCH_OFFSET)
              ? Architecture.of(k, 0).map(Architecture::label).orElse("")
              : "";
      default -> "";
    };
  }

  private static String wordName(int offset) {
    if (offset == SeccompData.NR_OFFSET) {
      return "nr";
    }
    if (offset == SeccompData.ARCH_OFFSET) {
      return "arch";
    }
    for (SeccompField field : SeccompField.values()) {
      if (offset == field.lowOffset()) {
        return fieldName(field) + " low";
      }
      if (offset == field.highOffset()) {
        return fieldName(field) + " high";
      }
    }
    return "";
  }

  private static String fieldName(SeccompField field) {
    return field == SeccompField.INSTRUCTION_POINTER
        ? "ip"
        : "args[%d]"
            .formatted((field.lowOffset() - SeccompField.ARGUMENT_0.lowOffset()) / Long.BYTES);
  }

  private static String action(int value) {
    SeccompAction action = SeccompAction.decode(value);
    return action.encode() == value ? action.toString() : "acts as " + action;
  }

  private static boolean loads(BpfInstruction instruction, int offset) {
    return instruction.equals(BpfInstruction.of(Bpf.LD | Bpf.W | Bpf.ABS, offset));
  }

  private static String targets(BpfInstruction instruction, int pc) {
    return ", " + (pc + 1 + instruction.jt()) + ", " + (pc + 1 + instruction.jf());
  }

  private static String constant(int k) {
    return "#0x" + Integer.toHexString(k);
  }

  private static String memory(int k) {
    return "M[" + Integer.toUnsignedString(k) + "]";
  }
}
