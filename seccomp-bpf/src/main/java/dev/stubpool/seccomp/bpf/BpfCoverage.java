package dev.stubpool.seccomp.bpf;

import dev.stubpool.seccomp.SeccompData;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The coverage of a program over many runs: instructions executed, outcomes of conditional jumps,
 * and bytes of the input read. Not thread-safe.
 */
public final class BpfCoverage {

  private final BpfProgram program;
  private final BpfSimulator simulator;
  private final long[] executions;
  private final long[] jumps;
  private final BitSet bytes = new BitSet(SeccompData.SIZE);

  /**
   * Creates the coverage of a program, with no runs yet.
   *
   * @param program the program
   * @throws IllegalArgumentException if the kernel would refuse it
   */
  public BpfCoverage(BpfProgram program) {
    this.program = program;
    this.simulator = new BpfSimulator(program);
    this.executions = new long[program.length()];
    this.jumps = new long[program.length()];
  }

  /**
   * Runs the program and records its coverage.
   *
   * @param data the system call to be filtered
   * @return the result
   */
  public BpfSimulator.Result run(SeccompData data) {
    BpfSimulator.Trace trace = simulator.trace(data);
    List<Integer> path = trace.path();
    for (int i = 0; i < path.size(); i++) {
      int pc = path.get(i);
      executions[pc]++;
      if (isTest(pc) && path.get(i + 1) == pc + 1 + program.instructions().get(pc).jt()) {
        jumps[pc]++;
      }
    }
    bytes.or(trace.bytesRead());
    return trace.result();
  }

  /**
   * The number of executions of an instruction.
   *
   * @param index the instruction, from 0
   * @return the number of times
   * @throws IndexOutOfBoundsException if there is no such instruction
   */
  public long executions(int index) {
    return executions[index];
  }

  /**
   * How often the condition of a conditional jump held.
   *
   * @param index the instruction, from 0
   * @return the number of times; 0 if the instruction is not a conditional jump. In the other
   *     {@link #executions} the condition did not hold
   * @throws IndexOutOfBoundsException if there is no such instruction
   */
  public long jumps(int index) {
    return jumps[index];
  }

  /**
   * The instructions that no run has executed.
   *
   * @return their indices, in order
   */
  public List<Integer> neverExecuted() {
    List<Integer> result = new ArrayList<>();
    for (int pc = 0; pc < executions.length; pc++) {
      if (executions[pc] == 0) {
        result.add(pc);
      }
    }
    return result;
  }

  /**
   * The conditional jumps that were executed at least once and always had the same outcome. Jumps
   * whose two targets are the same are left out.
   *
   * @return their indices, in order
   */
  public List<Integer> oneSided() {
    List<Integer> result = new ArrayList<>();
    for (int pc = 0; pc < executions.length; pc++) {
      if (executions[pc] > 0 && isTest(pc) && (jumps[pc] == 0 || jumps[pc] == executions[pc])) {
        result.add(pc);
      }
    }
    return result;
  }

  /**
   * The bytes of {@code struct seccomp_data} that at least one run has read.
   *
   * @return their offsets, from 0 to 63
   */
  public BitSet bytesRead() {
    return (BitSet) bytes.clone();
  }

  private boolean isTest(int pc) {
    BpfInstruction instruction = program.instructions().get(pc);
    return (instruction.code() & 0x07) == Bpf.JMP
        && instruction.code() != (Bpf.JMP | Bpf.JA)
        && instruction.jt() != instruction.jf();
  }
}
