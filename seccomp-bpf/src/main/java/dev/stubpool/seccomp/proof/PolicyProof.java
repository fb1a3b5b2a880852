package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import java.util.List;
import java.util.Optional;

/**
 * Decides whether a program implements a policy: whether its answer to every input is that of
 * {@link SeccompPolicy#evaluate}.
 */
public final class PolicyProof {

  private PolicyProof() {}

  /** The result of a check. */
  public sealed interface Result {}

  /** The program implements the policy. */
  public record Proven() implements Result {}

  /**
   * The program does not implement the policy.
   *
   * @param input an input with another answer, chosen to be readable
   * @param expected the policy's answer
   * @param actual the program's answer
   */
  public record Refuted(SeccompData input, SeccompAction expected, BpfSimulator.Result actual)
      implements Result {}

  /**
   * The check exceeded the limit.
   *
   * @param reason the reason, with the instruction if known
   */
  public record Undecided(String reason) implements Result {}

  /**
   * Checks a program.
   *
   * @param policy the policy that it should implement
   * @param program the program
   * @return the result
   * @throws IllegalArgumentException if the kernel would refuse the program
   */
  public static Result check(SeccompPolicy policy, BpfProgram program) {
    return check(policy, program, InputSets.DEFAULT_MAX_NODES);
  }

  /**
   * Checks a program.
   *
   * @param policy the policy that it should implement
   * @param program the program
   * @param maxNodes the limit for diagram nodes, see {@link InputSets#of}
   * @return the result
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
