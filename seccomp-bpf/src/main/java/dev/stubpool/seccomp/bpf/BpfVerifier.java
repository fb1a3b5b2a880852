package dev.stubpool.seccomp.bpf;

import dev.stubpool.seccomp.SeccompData;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Checks whether the kernel would accept a program as a seccomp filter. It rejects exactly the
 * programs for which seccomp(2) fails with EINVAL.
 *
 * <p>The rules are those of {@code bpf_check_classic} ({@code net/core/filter.c}) and {@code
 * seccomp_check_filter} ({@code kernel/seccomp.c}), as of Linux 6.18. Errors that depend on the
 * process are not checked: EACCES without no_new_privs, ENOMEM when all filters of a process
 * together are too long.
 */
public final class BpfVerifier {

  private static final int MAX_SHIFT = 31;

  private BpfVerifier() {}

  /** The kernel's rules, in the order in which they are checked. */
  public enum Rule {
    /** A program has 1 to {@value Bpf#MAXINSNS} instructions. */
    LENGTH,
    /** The opcode is one of 41; seccomp has no MOD, no half words or bytes, no indirect loads. */
    OPCODE,
    /** An input offset is a multiple of 4 below {@value SeccompData#SIZE}. */
    LOAD_OFFSET,
    /** A constant divisor is not 0. */
    DIVISION_BY_ZERO,
    /** A constant shift is at most 31. */
    SHIFT,
    /** A scratch word's index is below {@value Bpf#MEMWORDS}. */
    MEMORY_INDEX,
    /** A jump stays inside the program, hence goes forward. */
    JUMP_TARGET,
    /** The last instruction is a return. */
    FINAL_RETURN,
    /** A scratch word is stored on every path, as the kernel follows paths, before it is loaded. */
    UNINITIALISED_MEMORY
  }

  /**
   * Why a program is refused: the first violation found, by rule and then by place.
   *
   * @param rule the rule that is broken
   * @param index the instruction that breaks it, from 0; for {@link Rule#LENGTH} -1
   * @param reason a description of the violation
   */
  public record Violation(Rule rule, int index, String reason) {

    /**
     * The violation as one line.
     *
     * @return place and reason
     */
    @Override
    public String toString() {
      return index < 0 ? reason : "instruction " + index + ": " + reason;
    }
  }

  /**
   * Checks a program.
   *
   * @param program the program
   * @return the violation, or empty if the kernel accepts the program
   */
  public static Optional<Violation> verify(BpfProgram program) {
    return verify(program.instructions());
  }

  /**
   * Checks a sequence of instructions of any length.
   *
   * @param instructions the instructions in order
   * @return the violation, or empty if the kernel accepts them
   */
  public static Optional<Violation> verify(List<BpfInstruction> instructions) {
    int length = instructions.size();
    if (length < 1 || length > Bpf.MAXINSNS) {
      return violation(
          Rule.LENGTH, -1, "a program has 1 to " + Bpf.MAXINSNS + " instructions, not " + length);
    }
    for (int pc = 0; pc < length; pc++) {
      Optional<Violation> violation = checkInstruction(instructions.get(pc), pc, length);
      if (violation.isPresent()) {
        return violation;
      }
    }
    int last = length - 1;
    if (!isReturn(instructions.get(last))) {
      return violation(Rule.FINAL_RETURN, last, "the last instruction is not a return");
    }
    return checkMemory(instructions);
  }

  /**
   * Requires that the kernel would accept a program.
   *
   * @param program the program
   * @return the program
   * @throws IllegalArgumentException if it would not; the message has the reason
   */
  public static BpfProgram requireValid(BpfProgram program) {
    verify(program)
        .ifPresent(
            violation -> {
              throw new IllegalArgumentException("the kernel would refuse this: " + violation);
            });
    return program;
  }

  private static Optional<Violation> checkInstruction(
      BpfInstruction instruction, int pc, int length) {
    int k = instruction.k();
    return switch (instruction.code()) {
      case Bpf.LD | Bpf.IMM,
          Bpf.LD | Bpf.W | Bpf.LEN,
          Bpf.LDX | Bpf.IMM,
          Bpf.LDX | Bpf.W | Bpf.LEN,
          Bpf.ALU | Bpf.ADD | Bpf.K,
          Bpf.ALU | Bpf.ADD | Bpf.X,
          Bpf.ALU | Bpf.SUB | Bpf.K,
          Bpf.ALU | Bpf.SUB | Bpf.X,
          Bpf.ALU | Bpf.MUL | Bpf.K,
          Bpf.ALU | Bpf.MUL | Bpf.X,
          Bpf.ALU | Bpf.DIV | Bpf.X,
          Bpf.ALU | Bpf.OR | Bpf.K,
          Bpf.ALU | Bpf.OR | Bpf.X,
          Bpf.ALU | Bpf.AND | Bpf.K,
          Bpf.ALU | Bpf.AND | Bpf.X,
          Bpf.ALU | Bpf.LSH | Bpf.X,
          Bpf.ALU | Bpf.RSH | Bpf.X,
          Bpf.ALU | Bpf.XOR | Bpf.K,
          Bpf.ALU | Bpf.XOR | Bpf.X,
          Bpf.ALU | Bpf.NEG,
          Bpf.MISC | Bpf.TAX,
          Bpf.MISC | Bpf.TXA,
          Bpf.RET | Bpf.K,
          Bpf.RET | Bpf.A ->
          Optional.empty();

      case Bpf.LD | Bpf.W | Bpf.ABS ->
          (k & 3) == 0 && isBelow(k, SeccompData.SIZE)
              ? Optional.empty()
              : violation(
                  Rule.LOAD_OFFSET,
                  pc,
                  "no word of the input lies at offset " + Integer.toUnsignedString(k));

      case Bpf.LD | Bpf.MEM, Bpf.LDX | Bpf.MEM, Bpf.ST, Bpf.STX ->
          isBelow(k, Bpf.MEMWORDS)
              ? Optional.empty()
              : violation(
                  Rule.MEMORY_INDEX, pc, "no scratch word M[" + Integer.toUnsignedString(k) + "]");

      case Bpf.ALU | Bpf.DIV | Bpf.K ->
          k != 0 ? Optional.empty() : violation(Rule.DIVISION_BY_ZERO, pc, "division by 0");

      case Bpf.ALU | Bpf.LSH | Bpf.K, Bpf.ALU | Bpf.RSH | Bpf.K ->
          isBelow(k, MAX_SHIFT + 1)
              ? Optional.empty()
              : violation(Rule.SHIFT, pc, "shift by " + Integer.toUnsignedString(k));

      case Bpf.JMP | Bpf.JA ->
          isBelow(k, length - pc - 1) ? Optional.empty() : badTarget(pc, Integer.toUnsignedLong(k));

      case Bpf.JMP | Bpf.JEQ | Bpf.K,
          Bpf.JMP | Bpf.JEQ | Bpf.X,
          Bpf.JMP | Bpf.JGT | Bpf.K,
          Bpf.JMP | Bpf.JGT | Bpf.X,
          Bpf.JMP | Bpf.JGE | Bpf.K,
          Bpf.JMP | Bpf.JGE | Bpf.X,
          Bpf.JMP | Bpf.JSET | Bpf.K,
          Bpf.JMP | Bpf.JSET | Bpf.X -> {
        int furthest = Math.max(instruction.jt(), instruction.jf());
        yield furthest < length - pc - 1 ? Optional.empty() : badTarget(pc, furthest);
      }

      default ->
          violation(
              Rule.OPCODE, pc, "opcode 0x%04x has no meaning here".formatted(instruction.code()));
    };
  }

  /**
   * Tracks initialised scratch words through the program exactly as {@code check_load_and_stores}
   * does: in one pass, in program order, with a mask of words for each instruction.
   *
   * <p>The kernel's check is not exact control flow analysis. After any jump all words count as
   * initialised, until a jump to that place says otherwise. A return changes nothing, so dead code
   * after a return is checked with the state before the return.
   */
  private static Optional<Violation> checkMemory(List<BpfInstruction> instructions) {
    int everything = (1 << Bpf.MEMWORDS) - 1;
    int[] masks = new int[instructions.size()];
    Arrays.fill(masks, everything);
    int valid = 0;
    for (int pc = 0; pc < masks.length; pc++) {
      valid &= masks[pc];
      BpfInstruction instruction = instructions.get(pc);
      switch (instruction.code()) {
        case Bpf.ST, Bpf.STX -> valid |= 1 << instruction.k();
        case Bpf.LD | Bpf.MEM, Bpf.LDX | Bpf.MEM -> {
          if ((valid & 1 << instruction.k()) == 0) {
            return violation(
                Rule.UNINITIALISED_MEMORY,
                pc,
                "M[" + instruction.k() + "] may be loaded before it is stored");
          }
        }
        case Bpf.JMP | Bpf.JA -> {
          masks[pc + 1 + instruction.k()] &= valid;
          valid = everything;
        }
        default -> {
          if ((instruction.code() & 0x07) == Bpf.JMP) {
            masks[pc + 1 + instruction.jt()] &= valid;
            masks[pc + 1 + instruction.jf()] &= valid;
            valid = everything;
          }
        }
      }
    }
    return Optional.empty();
  }

  private static boolean isReturn(BpfInstruction instruction) {
    return instruction.code() == (Bpf.RET | Bpf.K) || instruction.code() == (Bpf.RET | Bpf.A);
  }

  private static boolean isBelow(int k, int limit) {
    return Integer.compareUnsigned(k, limit) < 0;
  }

  private static Optional<Violation> badTarget(int pc, long distance) {
    return violation(
        Rule.JUMP_TARGET, pc, "jump to " + (pc + 1 + distance) + ", outside the program");
  }

  private static Optional<Violation> violation(Rule rule, int index, String reason) {
    return Optional.of(new Violation(rule, index, reason));
  }
}
