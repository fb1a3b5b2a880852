package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import dev.stubpool.seccomp.bpf.BpfProgram;

/** Control flow and liveness of a verified program. */
final class ControlFlow {

  /** Bits of {@link #needed}, after those of the scratch words. */
  static final int NEEDS_A = 1 << Bpf.MEMWORDS;

  static final int NEEDS_X = NEEDS_A << 1;

  private ControlFlow() {}

  /** The instructions that may come next: none, one, or two. */
  static int[] successors(BpfProgram program, int pc) {
    BpfInstruction instruction = program.instructions().get(pc);
    return switch (instruction.code() & 0x07) {
      case Bpf.RET -> new int[0];
      case Bpf.JMP ->
          instruction.code() == (Bpf.JMP | Bpf.JA)
              ? new int[] {pc + 1 + instruction.k()}
              : new int[] {pc + 1 + instruction.jt(), pc + 1 + instruction.jf()};
      default -> new int[] {pc + 1};
    };
  }

  /**
   * Computes which registers and scratch words are live.
   *
   * @return for each instruction, the mask of those that are live before it
   */
  static int[] needed(BpfProgram program) {
    int[] needed = new int[program.length()];
    for (int pc = needed.length - 1; pc >= 0; pc--) {
      int after = 0;
      for (int target : successors(program, pc)) {
        after |= needed[target];
      }
      needed[pc] = neededBefore(program.instructions().get(pc), after);
    }
    return needed;
  }

  private static int neededBefore(BpfInstruction instruction, int after) {
    int code = instruction.code();
    int word = 1 << instruction.k(); // only used where k is the index of a scratch word
    int operand = (code & Bpf.X) != 0 ? NEEDS_X : 0;
    return switch (code & 0x07) {
      case Bpf.LD -> (after & ~NEEDS_A) | (code == (Bpf.LD | Bpf.MEM) ? word : 0);
      case Bpf.LDX -> (after & ~NEEDS_X) | (code == (Bpf.LDX | Bpf.MEM) ? word : 0);
      case Bpf.ST -> (after & word) == 0 ? after : (after & ~word) | NEEDS_A;
      case Bpf.STX -> (after & word) == 0 ? after : (after & ~word) | NEEDS_X;
      case Bpf.ALU -> {
        if (code == (Bpf.ALU | Bpf.DIV | Bpf.X)) {
          yield after | NEEDS_A | NEEDS_X; // it may end the program
        }
        int operands = NEEDS_A | (code == (Bpf.ALU | Bpf.NEG) ? 0 : operand);
        yield (after & NEEDS_A) == 0 ? after : after | operands;
      }
      case Bpf.JMP -> code == (Bpf.JMP | Bpf.JA) ? after : after | NEEDS_A | operand;
      case Bpf.RET -> code == (Bpf.RET | Bpf.A) ? NEEDS_A : 0;
      default ->
          code == (Bpf.MISC | Bpf.TAX)
              ? move(after, NEEDS_X, NEEDS_A)
              : move(after, NEEDS_A, NEEDS_X);
    };
  }

  private static int move(int after, int to, int from) {
    return (after & to) == 0 ? after : (after & ~to) | from;
  }
}
