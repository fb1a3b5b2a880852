package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfVerifier;
import java.util.ArrayList;
import java.util.List;

/**
 * The exact answers of a program to all inputs, as the kernel computes them, and the inputs that
 * reach each of its instructions.
 */
public final class BpfMeaning {

  private final InputSets sets;
  private final BpfProgram program;
  private final SymbolicRun run;
  private final Answers raw;
  private final Answers decoded;

  private BpfMeaning(InputSets sets, BpfProgram program) {
    this.sets = sets;
    this.program = program;
    this.run = SymbolicRun.of(sets.bdd(), sets.order(), program);
    this.raw = Answers.raw(sets.bdd(), run);
    this.decoded = Answers.decoded(sets.bdd(), run);
  }

  /**
   * Computes the meaning of a program.
   *
   * @param sets the sets to use, preferably created for this program
   * @param program the program
   * @return its meaning
   * @throws IllegalArgumentException if the kernel would refuse the program
   * @throws UndecidedException if its multiplications, divisions or shifts of unknown words exceed
   *     the limit; the message names the instruction
   */
  public static BpfMeaning of(InputSets sets, BpfProgram program) {
    BpfVerifier.requireValid(program);
    try {
      return new BpfMeaning(sets, program);
    } catch (BddLimitException e) {
      throw new UndecidedException("the program's answers are too many: " + e.getMessage());
    }
  }

  Answers raw() {
    return raw;
  }

  Answers decoded() {
    return decoded;
  }

  /**
   * The inputs that get an action, by whichever return value.
   *
   * @param action the action
   * @return the set
   */
  public InputSet answered(SeccompAction action) {
    return sets.set(() -> decoded.inputs(action.encode()));
  }

  /**
   * The inputs that get an action of a kind, with any data.
   *
   * @param kind the kind
   * @return the set
   */
  public InputSet answered(SeccompAction.Kind kind) {
    return sets.set(() -> decoded.inputs(kind));
  }

  /**
   * The inputs for which a value is returned.
   *
   * @param value the value, as the program returns it
   * @return the set
   */
  public InputSet returned(int value) {
    return sets.set(() -> raw.inputs(value));
  }

  /**
   * The inputs for which some bits of the return value have given values.
   *
   * @param mask the bits
   * @param value their values
   * @return the set
   */
  public InputSet returned(int mask, int value) {
    return sets.set(() -> raw.inputs(mask, value));
  }

  /**
   * The inputs that reach an instruction.
   *
   * @param pc the instruction, from 0
   * @return the set; empty for dead code
   * @throws IndexOutOfBoundsException if there is no such instruction
   */
  public InputSet reaching(int pc) {
    return new InputSet(sets, run.reaching(pc));
  }

  /**
   * The inputs for which a conditional jump is reached and its condition holds.
   *
   * @param pc the instruction, from 0
   * @return the set; empty if it is not a conditional jump
   * @throws IndexOutOfBoundsException if there is no such instruction
   */
  public InputSet jumping(int pc) {
    return new InputSet(sets, run.jumping(pc));
  }

  /**
   * The inputs for which the program ends at an instruction: a return, or a division by an X of 0.
   *
   * @param pc the instruction, from 0
   * @return the set
   */
  public InputSet ending(int pc) {
    int ending = Bdd.FALSE;
    for (SymbolicRun.Outcome outcome : run.outcomes()) {
      if (outcome.pc() == pc) {
        ending = outcome.inputs();
      }
    }
    return new InputSet(sets, ending);
  }

  /**
   * The instructions that no input reaches.
   *
   * @return their indices, in order
   */
  public List<Integer> deadInstructions() {
    List<Integer> dead = new ArrayList<>();
    for (int pc = 0; pc < program.length(); pc++) {
      if (run.reaching(pc) == Bdd.FALSE) {
        dead.add(pc);
      }
    }
    return dead;
  }

  /**
   * The conditional jumps with two different targets that have the same outcome for every input
   * that reaches them.
   *
   * @return their indices, in order
   */
  public List<Integer> constantTests() {
    List<Integer> constant = new ArrayList<>();
    for (int pc = 0; pc < program.length(); pc++) {
      BpfInstruction instruction = program.instructions().get(pc);
      boolean test =
          (instruction.code() & 0x07) == Bpf.JMP && instruction.code() != (Bpf.JMP | Bpf.JA);
      boolean oneWay = run.jumping(pc) == Bdd.FALSE || run.jumping(pc) == run.reaching(pc);
      if (test && instruction.jt() != instruction.jf() && oneWay && run.reaching(pc) != Bdd.FALSE) {
        constant.add(pc);
      }
    }
    return constant;
  }
}
