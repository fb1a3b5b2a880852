package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import java.util.List;
import java.util.Optional;

/**
 * Decides whether two programs give the same answer to every input, or finds an input for which
 * they differ.
 *
 * <p>This is a proof over all values of {@code struct seccomp_data}, not a test on samples. A
 * difference is confirmed by {@link BpfSimulator} before it is reported.
 */
public final class BpfEquivalence {

  private BpfEquivalence() {}

  /** Which answers count as the same. */
  public enum Sameness {
    /** Answers that the kernel decodes to the same action: see {@code SeccompAction.decode}. */
    ACTION,
    /** Answers with the same 32 bits. */
    VALUE
  }

  /** The result of a comparison. */
  public sealed interface Result {}

  /** The programs answer every input alike. */
  public record Equal() implements Result {}

  /**
   * The programs differ.
   *
   * @param input an input with different answers, chosen to be readable
   * @param first what the first program returns for it
   * @param second what the second program returns for it
   */
  public record Differs(SeccompData input, BpfSimulator.Result first, BpfSimulator.Result second)
      implements Result {}

  /**
   * The comparison exceeded the limit.
   *
   * @param reason the reason, with the instruction if known
   */
  public record Undecided(String reason) implements Result {}

  /**
   * Compares the actions of two programs.
   *
   * @param first a program
   * @param second another program
   * @return the result
   * @throws IllegalArgumentException if the kernel would refuse one of them
   */
  public static Result compare(BpfProgram first, BpfProgram second) {
    return compare(first, second, Sameness.ACTION, InputSets.DEFAULT_MAX_NODES);
  }

  /**
   * Compares two programs.
   *
   * @param first a program
   * @param second another program
   * @param sameness which answers count as the same
   * @param maxNodes the limit for diagram nodes, see {@link InputSets#of}
   * @return the result
   * @throws IllegalArgumentException if the kernel would refuse one of them
   */
  public static Result compare(
      BpfProgram first, BpfProgram second, Sameness sameness, int maxNodes) {
    InputSets sets = InputSets.of(List.of(first, second), List.of(), maxNodes);
    try {
      Answers ofFirst = answers(sets, first, sameness);
      Answers ofSecond = answers(sets, second, sameness);
      Optional<SeccompData> input = sets.example(ofFirst.difference(ofSecond));
      return input.<Result>map(data -> differs(first, second, sameness, data)).orElse(new Equal());
    } catch (UndecidedException e) {
      return new Undecided(e.getMessage());
    } catch (BddLimitException e) {
      return new Undecided("the programs' answers differ in too many ways: " + e.getMessage());
    }
  }

  private static Answers answers(InputSets sets, BpfProgram program, Sameness sameness) {
    SymbolicRun run = SymbolicRun.of(sets.bdd(), sets.order(), program);
    return switch (sameness) {
      case ACTION -> Answers.decoded(sets.bdd(), run);
      case VALUE -> Answers.raw(sets.bdd(), run);
    };
  }

  private static Differs differs(
      BpfProgram first, BpfProgram second, Sameness sameness, SeccompData data) {
    BpfSimulator.Result ofFirst = BpfSimulator.run(first, data);
    BpfSimulator.Result ofSecond = BpfSimulator.run(second, data);
    boolean same =
        switch (sameness) {
          case ACTION -> ofFirst.action().equals(ofSecond.action());
          case VALUE -> ofFirst.ret() == ofSecond.ret();
        };
    if (same) {
      throw new AssertionError(
          "the programs should differ for %s, but both return %s".formatted(data, ofFirst));
    }
    return new Differs(data, ofFirst, ofSecond);
  }
}
