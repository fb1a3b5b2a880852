package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import java.util.List;
import java.util.Optional;

/**
 * Decides whether two programs answer every input alike, or finds an input that they do not.
 *
 * <p>This is a proof over all of {@code struct seccomp_data}, not a test on samples. A difference
 * that was found is run through {@link BpfSimulator} before it is reported.
 */
public final class BpfEquivalence {

  private BpfEquivalence() {}

  /** Which answers are the same. */
  public enum Sameness {
    /** Those of which the kernel makes the same: see {@code SeccompAction.decode}. */
    ACTION,
    /** The same 32 bits. */
    VALUE
  }

  /** What a comparison gives. */
  public sealed interface Result {}

  /** The programs answer every input alike. */
  public record Equal() implements Result {}

  /**
   * The programs differ.
   *
   * @param input an input with different answers; as readable as one can be
   * @param first what the first program returns for it
   * @param second what the second program returns for it
   */
  public record Differs(SeccompData input, BpfSimulator.Result first, BpfSimulator.Result second)
      implements Result {}

  /**
   * It would take too much to find out.
   *
   * @param reason why, with the instruction where that is known
   */
  public record Undecided(String reason) implements Result {}

  /**
   * Compares what the kernel makes of the answers.
   *
   * @param first a program
   * @param second another program
   * @return whether they are equal
   * @throws IllegalArgumentException if the kernel would refuse one of them
   */
  public static Result compare(BpfProgram first, BpfProgram second) {
    return compare(first, second, Sameness.ACTION, InputSets.DEFAULT_MAX_NODES);
  }

  /**
   * Compares.
   *
   * @param first a program
   * @param second another program
   * @param sameness which answers are the same
   * @param maxNodes how much may be taken: see {@link InputSets#of}
   * @return whether they are equal
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
