package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import java.util.List;
import java.util.Optional;

/**
 * Decides whether a program means what a policy means: whether the kernel answers every input as
 * {@link SeccompPolicy#evaluate} does.
 */
public final class PolicyProof {

  private PolicyProof() {}

  /** What a check gives. */
  public sealed interface Result {}

  /** The program means what the policy means. */
  public record Proven() implements Result {}

  /**
   * The program does not mean what the policy means.
   *
   * @param input an input with another answer; as readable as one can be
   * @param expected the policy's answer
   * @param actual the program's answer
   */
  public record Refuted(SeccompData input, SeccompAction expected, BpfSimulator.Result actual)
      implements Result {}

  /**
   * It would take too much to find out.
   *
   * @param reason why, with the instruction where that is known
   */
  public record Undecided(String reason) implements Result {}

  /**
   * Checks a program.
   *
   * @param policy what it should mean
   * @param program the program
   * @return whether it does
   * @throws IllegalArgumentException if the kernel would refuse the program
   */
  public static Result check(SeccompPolicy policy, BpfProgram program) {
    return check(policy, program, InputSets.DEFAULT_MAX_NODES);
  }

  /**
   * Checks a program.
   *
   * @param policy what it should mean
   * @param program the program
   * @param maxNodes how much may be taken: see {@link InputSets#of}
   * @return whether it does
   * @throws IllegalArgumentException if the kernel would refuse the program
   */
  public static Result check(SeccompPolicy policy, BpfProgram program, int maxNodes) {
    InputSets sets = InputSets.of(List.of(program), List.of(policy), maxNodes);
    try {
      Answers expected = PolicyMeaning.of(sets, policy);
      SymbolicRun run = SymbolicRun.of(sets.bdd(), sets.order(), program);
      Answers actual = Answers.decoded(sets.bdd(), run);
      Optional<SeccompData> input = sets.example(expected.difference(actual));
      return input.<Result>map(data -> refuted(policy, program, data)).orElse(new Proven());
    } catch (UndecidedException e) {
      return new Undecided(e.getMessage());
    } catch (BddLimitException e) {
      return new Undecided("the policy's answers are too many: " + e.getMessage());
    }
  }

  private static Refuted refuted(SeccompPolicy policy, BpfProgram program, SeccompData data) {
    SeccompAction expected = policy.evaluate(data);
    BpfSimulator.Result actual = BpfSimulator.run(program, data);
    if (expected.equals(actual.action())) {
      throw new AssertionError(
          "program and policy should differ for %s, but both say %s".formatted(data, actual));
    }
    return new Refuted(data, expected, actual);
  }
}
