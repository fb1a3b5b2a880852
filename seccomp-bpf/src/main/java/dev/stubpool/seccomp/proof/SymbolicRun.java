package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import dev.stubpool.seccomp.bpf.BpfProgram;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A symbolic execution of a verified program on all inputs at once.
 *
 * <p>Jumps only go forward, so one pass in program order suffices: when an instruction is
 * processed, all paths to it are known. A path has a set of inputs, and a word of 32 functions for
 * each of A, X and the scratch words. Where paths join, each bit is chosen by the path's set of
 * inputs. Dead registers are dropped; otherwise every load of another word would create such a
 * merge.
 */
final class SymbolicRun {

  /** An end of the program. */
  static final class Outcome {
    private final int pc;
    private final int inputs;
    private final int[] value;

    private Outcome(int pc, int inputs, int[] value) {
      this.pc = pc;
      this.inputs = inputs;
      this.value = value;
    }

    /** The instruction. */
    int pc() {
      return pc;
    }

    /** The inputs that end here. */
    int inputs() {
      return inputs;
    }

    /** The return value, 32 bits. */
    int[] value() {
      return value;
    }
  }

  private static final int WIDTH = Integer.SIZE;
  private static final int[] ZERO = BitVectors.constant(0, WIDTH);
  private static final int A = Bpf.MEMWORDS;
  private static final int X = A + 1;

  private final Bdd bdd;
  private final InputOrder order;
  private final BitVectors vectors;
  private final BpfProgram program;

  /** See {@link ControlFlow#needed}. */
  private final int[] needed;

  /** The inputs that reach each instruction. */
  private final int[] reaching;

  /**
   * For each instruction that is still to be processed, the words there; null if no path has
   * reached it.
   */
  private final int[][][] pending;

  /** For each conditional jump that is reached, the inputs for which its condition holds. */
  private final int[] jumping;

  private final List<Outcome> outcomes = new ArrayList<>();

  private SymbolicRun(Bdd bdd, InputOrder order, BpfProgram program) {
    this.bdd = bdd;
    this.order = order;
    this.vectors = new BitVectors(bdd);
    this.program = program;
    this.needed = ControlFlow.needed(program);
    this.reaching = new int[program.length()];
    this.jumping = new int[program.length()];
    this.pending = new int[program.length()][][];
    Arrays.fill(reaching, Bdd.FALSE);
    Arrays.fill(jumping, Bdd.FALSE);
  }

  /**
   * Runs a program.
   *
   * @throws UndecidedException if the diagrams become too large
   */
  static SymbolicRun of(Bdd bdd, InputOrder order, BpfProgram program) {
    SymbolicRun run = new SymbolicRun(bdd, order, program);
    int[][] words = new int[X + 1][];
    Arrays.fill(words, ZERO);
    run.flow(0, Bdd.TRUE, words);
    for (int pc = 0; pc < program.length(); pc++) {
      if (run.reaching[pc] != Bdd.FALSE) {
        try {
          run.execute(pc);
        } catch (BddLimitException e) {
          throw new UndecidedException(
              "what instruction %d (%s) computes cannot be followed: %s"
                  .formatted(pc, program.instructions().get(pc), e.getMessage()));
        }
      }
      run.pending[pc] = null;
    }
    return run;
  }

  List<Outcome> outcomes() {
    return outcomes;
  }

  int reaching(int pc) {
    return reaching[pc];
  }

  int jumping(int pc) {
    return jumping[pc];
  }

  private void execute(int pc) {
    BpfInstruction instruction = program.instructions().get(pc);
    int inputs = reaching[pc];
    int[][] words = pending[pc];
    int k = instruction.k();
    int code = instruction.code();
    switch (code & 0x07) {
      case Bpf.LD -> words[A] = load(code, k, words);
      case Bpf.LDX -> words[X] = load(code, k, words);
      case Bpf.ST -> words[k] = words[A];
      case Bpf.STX -> words[k] = words[X];
      case Bpf.ALU -> {
        int[] operand = operand(instruction, words);
        if (code == (Bpf.ALU | Bpf.DIV | Bpf.X)) {
          int byZero = bdd.and(inputs, vectors.equal(operand, ZERO));
          end(pc, byZero, ZERO);
          inputs = bdd.minus(inputs, byZero);
        }
        // A value that is never read need not be computed.
        if ((needed[pc + 1] & ControlFlow.NEEDS_A) != 0) {
          words[A] = calculate(code, words[A], operand, k);
        }
      }
      case Bpf.JMP -> {
        jump(pc, instruction, inputs, words);
        return;
      }
      case Bpf.RET -> {
        end(pc, inputs, code == (Bpf.RET | Bpf.A) ? words[A] : BitVectors.constant(k, WIDTH));
        return;
      }
      default -> {
        if (code == (Bpf.MISC | Bpf.TAX)) {
          words[X] = words[A];
        } else {
          words[A] = words[X];
        }
      }
    }
    flow(pc + 1, inputs, words);
  }

  private void jump(int pc, BpfInstruction instruction, int inputs, int[][] words) {
    int[] targets = ControlFlow.successors(program, pc);
    if (targets.length == 1) {
      flow(targets[0], inputs, words);
      return;
    }
    jumping[pc] = bdd.and(inputs, test(instruction, words[A], operand(instruction, words)));
    flow(targets[0], jumping[pc], words);
    flow(targets[1], bdd.minus(inputs, jumping[pc]), words);
  }

  private void end(int pc, int inputs, int[] value) {
    if (inputs != Bdd.FALSE) {
      outcomes.add(new Outcome(pc, inputs, value));
    }
  }

  /** Adds a path: inputs, with their words, that continue at an instruction. */
  private void flow(int pc, int inputs, int[][] words) {
    if (inputs == Bdd.FALSE) {
      return;
    }
    int all = bdd.or(reaching[pc], inputs);
    if (pending[pc] == null) {
      pending[pc] = words.clone();
    } else {
      merge(pc, words, inputs, all);
    }
    reaching[pc] = all;
  }

  private void merge(int pc, int[][] words, int inputs, int all) {
    int[][] merged = pending[pc];
    int selector = Bdd.FALSE;
    for (int i = 0; i < merged.length; i++) {
      if ((needed[pc] >>> i & 1) != 0 && !Arrays.equals(merged[i], words[i])) {
        // The condition that distinguishes the paths, without the conditions before they diverged.
        selector = selector == Bdd.FALSE ? bdd.simplify(inputs, all) : selector;
        merged[i] = vectors.choose(selector, words[i], merged[i]);
      }
    }
  }

  private int[] load(int code, int k, int[][] words) {
    return switch (code & 0xe0) {
      case Bpf.ABS -> input(k);
      case Bpf.MEM -> words[k];
      case Bpf.LEN -> BitVectors.constant(SeccompData.SIZE, WIDTH);
      default -> BitVectors.constant(k, WIDTH);
    };
  }

  private int[] input(int offset) {
    int[] bits = new int[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
      bits[i] = bdd.variable(order.variable(offset, i));
    }
    return bits;
  }

  private static int[] operand(BpfInstruction instruction, int[][] words) {
    return (instruction.code() & Bpf.X) != 0
        ? words[X]
        : BitVectors.constant(instruction.k(), WIDTH);
  }

  private int[] calculate(int code, int[] a, int[] operand, int k) {
    return switch (code & 0xf0) {
      case Bpf.ADD -> vectors.add(a, operand);
      case Bpf.SUB -> vectors.subtract(a, operand);
      case Bpf.MUL -> vectors.multiply(a, operand);
      case Bpf.DIV ->
          Integer.bitCount(k) == 1 && (code & Bpf.X) == 0
              ? vectors.shiftRight(a, Integer.numberOfTrailingZeros(k))
              : vectors.divide(a, operand);
      case Bpf.OR -> vectors.or(a, operand);
      case Bpf.AND -> vectors.and(a, operand);
      case Bpf.LSH -> vectors.shiftLeft(a, operand);
      case Bpf.RSH -> vectors.shiftRight(a, operand);
      case Bpf.NEG -> vectors.negate(a);
      case Bpf.XOR -> vectors.xor(a, operand);
      default -> throw new AssertionError("verified, yet unknown: " + code);
    };
  }

  private int test(BpfInstruction instruction, int[] a, int[] operand) {
    return switch (instruction.code() & 0xf0) {
      case Bpf.JEQ -> vectors.equal(a, operand);
      case Bpf.JGT -> vectors.greater(a, operand);
      case Bpf.JGE -> vectors.greaterOrEqual(a, operand);
      case Bpf.JSET -> vectors.intersect(a, operand);
      default -> throw new AssertionError("verified, yet unknown: " + instruction);
    };
  }
}
