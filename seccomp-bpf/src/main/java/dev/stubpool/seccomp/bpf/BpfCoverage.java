package dev.stubpool.seccomp.bpf;

import dev.stubpool.seccomp.SeccompData;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * What many runs of a program have made use of: which instructions, which outcomes of tests, which
 * bytes of the input. Not thread-safe.
 */
public final class BpfCoverage {

  private final BpfProgram program;
  private final BpfSimulator simulator;
  private final long[] executions;
  private final long[] jumps;
  private final BitSet bytes = new BitSet(SeccompData.SIZE);

  /**
   * Of no runs yet.
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
   * Runs the program, and remembers what it did.
   *
   * @param data the system call that it judges
   * @return what it returns
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
   * How often an instruction was executed.
   *
   * @param index the instruction, from 0
   * @return the number of times
   * @throws IndexOutOfBoundsException if there is no such instruction
   */
  public long executions(int index) {
    return executions[index];
  }

  /**
   * How often an instruction was a test that held.
   *
   * @param index the instruction, from 0
   * @return the number of times; of {@link #executions} the rest failed, if it is a test; 0 if it
   *     is not
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
   * The tests that have held always, or never, in all the runs that executed them: at least one
   * did. A test both of whose outcomes lead to the same place decides nothing, and is not here.
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
   * The bytes of {@code struct seccomp_data} that some run has read.
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
