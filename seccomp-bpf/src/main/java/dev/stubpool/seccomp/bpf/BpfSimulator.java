package dev.stubpool.seccomp.bpf;

import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Runs a program as the kernel would, on given data.
 *
 * <p>Cases that C leaves undefined behave as in the kernel's translation to eBPF: division by an X
 * of 0 returns 0, which is KILL_THREAD; shifts by X use its low five bits; A and X start as 0; the
 * input's length is {@value SeccompData#SIZE}. The result is that of one filter, and a process may
 * have several. The kernel's bitmap (Linux 5.11) never changes the result.
 *
 * <p>Immutable and thread-safe.
 */
public final class BpfSimulator {

  private static final int SHIFT_MASK = 31;

  private final BpfInstruction[] program;

  /**
   * Prepares a program to be run many times.
   *
   * @param program the program
   * @throws IllegalArgumentException if the kernel would refuse it
   */
  public BpfSimulator(BpfProgram program) {
    this.program = BpfVerifier.requireValid(program).instructions().toArray(BpfInstruction[]::new);
  }

  /**
   * The result of a run.
   *
   * @param ret the value that the program returned
   * @param action the action that the kernel decodes from it
   * @param steps how many instructions were executed, the last one included
   */
  public record Result(int ret, SeccompAction action, int steps) {}

  /**
   * The result of a run, and how it was reached.
   *
   * @param result the result
   * @param path the indices of the instructions executed, in order
   * @param bytesRead the offsets of the bytes of {@code struct seccomp_data} that were loaded, 0 to
   *     63; each call returns a copy
   */
  public record Trace(Result result, List<Integer> path, BitSet bytesRead) {

    /** Copies the mutable components. */
    public Trace {
      path = List.copyOf(path);
      bytesRead = (BitSet) bytesRead.clone();
    }

    @Override
    public BitSet bytesRead() {
      return (BitSet) bytesRead.clone();
    }
  }

  /**
   * Runs a program once.
   *
   * @param program the program
   * @param data the system call to be filtered
   * @return the result
   * @throws IllegalArgumentException if the kernel would refuse the program
   */
  public static Result run(BpfProgram program, SeccompData data) {
    return new BpfSimulator(program).run(data);
  }

  /**
   * Runs the program and records its path.
   *
   * @param data the system call to be filtered
   * @return the result and the path
   */
  public Trace trace(SeccompData data) {
    List<Integer> path = new ArrayList<>();
    Result result = run(data, path::add);
    BitSet bytes = new BitSet(SeccompData.SIZE);
    for (int pc : path) {
      BpfInstruction instruction = program[pc];
      if (instruction.code() == (Bpf.LD | Bpf.W | Bpf.ABS)) {
        bytes.set(instruction.k(), instruction.k() + Integer.BYTES);
      }
    }
    return new Trace(result, path, bytes);
  }

  /**
   * Runs the program.
   *
   * @param data the system call to be filtered
   * @return the result
   */
  public Result run(SeccompData data) {
    return run(data, _ -> {});
  }

  private Result run(SeccompData data, IntConsumer executed) {
    int a = 0;
    int x = 0;
    int[] m = new int[Bpf.MEMWORDS];
    int pc = 0;
    for (int steps = 1; ; steps++) {
      executed.accept(pc);
      BpfInstruction instruction = program[pc++];
      int k = instruction.k();
      switch (instruction.code()) {
        case Bpf.LD | Bpf.W | Bpf.ABS -> a = data.word(k);
        case Bpf.LD | Bpf.W | Bpf.LEN -> a = SeccompData.SIZE;
        case Bpf.LD | Bpf.IMM -> a = k;
        case Bpf.LD | Bpf.MEM -> a = m[k];
        case Bpf.LDX | Bpf.W | Bpf.LEN -> x = SeccompData.SIZE;
        case Bpf.LDX | Bpf.IMM -> x = k;
        case Bpf.LDX | Bpf.MEM -> x = m[k];
        case Bpf.ST -> m[k] = a;
        case Bpf.STX -> m[k] = x;

        case Bpf.ALU | Bpf.ADD | Bpf.K -> a += k;
        case Bpf.ALU | Bpf.ADD | Bpf.X -> a += x;
        case Bpf.ALU | Bpf.SUB | Bpf.K -> a -= k;
        case Bpf.ALU | Bpf.SUB | Bpf.X -> a -= x;
        case Bpf.ALU | Bpf.MUL | Bpf.K -> a *= k;
        case Bpf.ALU | Bpf.MUL | Bpf.X -> a *= x;
        case Bpf.ALU | Bpf.DIV | Bpf.K -> a = Integer.divideUnsigned(a, k);
        case Bpf.ALU | Bpf.DIV | Bpf.X -> {
          if (x == 0) {
            return result(0, steps);
          }
          a = Integer.divideUnsigned(a, x);
        }
        case Bpf.ALU | Bpf.OR | Bpf.K -> a |= k;
        case Bpf.ALU | Bpf.OR | Bpf.X -> a |= x;
        case Bpf.ALU | Bpf.AND | Bpf.K -> a &= k;
        case Bpf.ALU | Bpf.AND | Bpf.X -> a &= x;
        case Bpf.ALU | Bpf.XOR | Bpf.K -> a ^= k;
        case Bpf.ALU | Bpf.XOR | Bpf.X -> a ^= x;
        case Bpf.ALU | Bpf.LSH | Bpf.K -> a <<= k;
        case Bpf.ALU | Bpf.LSH | Bpf.X -> a <<= x & SHIFT_MASK;
        case Bpf.ALU | Bpf.RSH | Bpf.K -> a >>>= k;
        case Bpf.ALU | Bpf.RSH | Bpf.X -> a >>>= x & SHIFT_MASK;
        case Bpf.ALU | Bpf.NEG -> a = -a;
        case Bpf.MISC | Bpf.TAX -> x = a;
        case Bpf.MISC | Bpf.TXA -> a = x;

        case Bpf.JMP | Bpf.JA -> pc += k;
        case Bpf.JMP | Bpf.JEQ | Bpf.K -> pc += skip(instruction, a == k);
        case Bpf.JMP | Bpf.JEQ | Bpf.X -> pc += skip(instruction, a == x);
        case Bpf.JMP | Bpf.JGT | Bpf.K ->
            pc += skip(instruction, Integer.compareUnsigned(a, k) > 0);
        case Bpf.JMP | Bpf.JGT | Bpf.X ->
            pc += skip(instruction, Integer.compareUnsigned(a, x) > 0);
        case Bpf.JMP | Bpf.JGE | Bpf.K ->
            pc += skip(instruction, Integer.compareUnsigned(a, k) >= 0);
        case Bpf.JMP | Bpf.JGE | Bpf.X ->
            pc += skip(instruction, Integer.compareUnsigned(a, x) >= 0);
        case Bpf.JMP | Bpf.JSET | Bpf.K -> pc += skip(instruction, (a & k) != 0);
        case Bpf.JMP | Bpf.JSET | Bpf.X -> pc += skip(instruction, (a & x) != 0);

        case Bpf.RET | Bpf.K -> {
          return result(k, steps);
        }
        case Bpf.RET | Bpf.A -> {
          return result(a, steps);
        }
        default -> throw new AssertionError("verified, yet unknown: " + instruction);
      }
    }
  }

  private static int skip(BpfInstruction instruction, boolean condition) {
    return condition ? instruction.jt() : instruction.jf();
  }

  private static Result result(int ret, int steps) {
    return new Result(ret, SeccompAction.decode(ret), steps);
  }
}
