package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompRule;
import dev.stubpool.seccomp.formats.Comparison.Operator;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The rules of one system call in libseccomp's order of precedence, which does not depend on the
 * order in which they are added.
 *
 * <p>A rule without comparisons takes precedence over all rules with comparisons, and over later
 * rules without. Other rules are ordered by their comparisons, from the first argument to the last,
 * by the first place where two rules differ:
 *
 * <ol>
 *   <li>a comparison of a later argument comes before one of an earlier argument;
 *   <li>on one argument, EQ, NE and MASKED_EQ come before LT and LE, those before GT and GE;
 *   <li>then the greater value, for LT and LE the smaller one;
 *   <li>then the rule that was added first.
 * </ol>
 *
 * <p>64-bit values are ordered by their high halves, then by their low halves. Rules with the same
 * comparisons and different actions are refused. So is a rule whose comparisons are a prefix of
 * those of a rule with another action; a rule that extends an existing one has no effect.
 *
 * <p>This is libseccomp's intended order. These deviations of versions 2.5 and 2.6 are not
 * reproduced:
 *
 * <ul>
 *   <li>After an ordering comparison or NE that is followed by another argument's comparison, rules
 *       whose values have the same high half share what follows, so that a rule applies where only
 *       another one should, or is lost.
 *   <li>If the values for one argument have several high halves, a low half may be compared with a
 *       high one.
 *   <li>For NE rules with the same high half and several actions, the answer for other high halves
 *       does not follow the order.
 *   <li>Of three or more GT and GE rules whose values have the same high half, not always the one
 *       with the greatest value decides about arguments with a greater high half: each replaces the
 *       action if its value is greater than that of the rule added first.
 *   <li>A GT rule with the value of an earlier LE rule, or a GE rule with that of an LT rule, takes
 *       that rule's place in the order, but not for arguments with a greater high half.
 *   <li>If an architecture lacks the call of the first rule, and no binary tree is used, that
 *       architecture's numbers are not compared at all.
 * </ul>
 */
final class CallRules {

  /** A libseccomp rule. */
  record Rule(List<Comparison> comparisons, SeccompAction action) {
    SeccompRule withNumber(int nr, boolean lowHalf) {
      List<Condition> conditions =
          comparisons.stream().map(comparison -> comparison.condition(lowHalf)).toList();
      return new SeccompRule(nr, conditions, action);
    }
  }

  /** The effect of adding a rule. */
  enum Outcome {
    ADDED,
    /** An earlier rule with the same action covers it. */
    REDUNDANT,
    /** An earlier rule with another action covers it. */
    NEVER_APPLIES
  }

  private final boolean lowHalf;
  private final List<Rule> accepted = new ArrayList<>();
  private Optional<Rule> unconditional = Optional.empty();
  private List<Node> first = new ArrayList<>();

  CallRules(Architecture architecture) {
    lowHalf = Comparison.lowHalfOnly(architecture);
  }

  /**
   * Adds a rule.
   *
   * @param comparisons at most one for each argument, in any order
   * @throws RefusedException if its comparisons are equal to, or a prefix of, those of a rule with
   *     another action
   */
  Outcome add(List<Comparison> comparisons, SeccompAction action) throws RefusedException {
    List<Comparison> effective =
        comparisons.stream()
            .map(comparison -> lowHalf ? comparison.lowHalf() : comparison)
            .filter(comparison -> !comparison.alwaysHolds())
            .sorted(Comparator.comparingInt(Comparison::argument))
            .toList();
    Rule rule = new Rule(effective, action);
    Outcome outcome = insert(rule);
    accepted.add(rule);
    return outcome;
  }

  /** Removes the rule that was added last. */
  void undo() {
    accepted.removeLast();
    unconditional = Optional.empty();
    first = new ArrayList<>();
    for (Rule rule : accepted) {
      try {
        insert(rule);
      } catch (RefusedException e) {
        throw new AssertionError("was accepted before", e);
      }
    }
  }

  /** The rules in order of precedence. */
  List<Rule> inOrder() {
    if (unconditional.isPresent()) {
      return List.of(unconditional.get());
    }
    List<Rule> rules = new ArrayList<>();
    collect(first, rules);
    return rules;
  }

  private static void collect(List<Node> level, List<Rule> rules) {
    for (Node node : level) {
      collect(node.lowHalves, rules);
      node.holds.collect(rules);
      node.fails.collect(rules);
    }
  }

  private Outcome insert(Rule rule) throws RefusedException {
    if (unconditional.isPresent()) {
      return covered(unconditional.get(), rule);
    }
    if (rule.comparisons().isEmpty()) {
      unconditional = Optional.of(rule);
      first = new ArrayList<>();
      return Outcome.ADDED;
    }
    List<Node> level = first;
    for (Comparison comparison : rule.comparisons().subList(0, rule.comparisons().size() - 1)) {
      Branch branch = branch(level, comparison);
      if (branch.rule.isPresent()) {
        return covered(branch.rule.get(), rule);
      }
      level = branch.next;
    }
    return branch(level, rule.comparisons().getLast()).end(rule);
  }

  private static Outcome covered(Rule earlier, Rule rule) {
    return earlier.action().equals(rule.action()) ? Outcome.REDUNDANT : Outcome.NEVER_APPLIES;
  }

  /** Finds or creates the branch after a comparison. */
  private Branch branch(List<Node> level, Comparison comparison) {
    List<Node> halves = level;
    if (!lowHalf) {
      halves = node(level, new Node(comparison, true)).lowHalves;
    }
    Node node = node(halves, new Node(comparison, false));
    return switch (comparison.operator()) {
      case EQ, MASKED_EQ, GE, GT -> node.holds;
      case NE, LT, LE -> node.fails;
    };
  }

  private static Node node(List<Node> level, Node wanted) {
    for (int i = 0; i < level.size(); i++) {
      Node node = level.get(i);
      if (node.isSameTest(wanted)) {
        return node;
      }
      if (wanted.isBefore(node)) {
        level.add(i, wanted);
        return wanted;
      }
    }
    level.add(wanted);
    return wanted;
  }

  /** A test of one half of an argument. */
  private static final class Node {
    private final int argument;
    private final Operator operator;
    private final Operator test;
    private final int mask;
    private final int value;

    /** For a test of the high half: the tests of the low half. */
    private final List<Node> lowHalves = new ArrayList<>();

    private final Branch holds = new Branch();
    private final Branch fails = new Branch();

    Node(Comparison comparison, boolean high) {
      argument = comparison.argument();
      operator = comparison.operator();
      test = test(operator, high);
      mask = half(comparison.mask(), high);
      value = half(comparison.value(), high);
    }

    private static int half(long word, boolean high) {
      return (int) (high ? word >>> Integer.SIZE : word);
    }

    /**
     * The test that implements an operator: NE is a negated EQ, and so on. If the high halves are
     * equal, the low ones decide.
     */
    private static Operator test(Operator operator, boolean high) {
      return switch (operator) {
        case EQ, NE -> Operator.EQ;
        case MASKED_EQ -> Operator.MASKED_EQ;
        case GT, LE -> Operator.GT;
        case GE, LT -> high ? Operator.GT : Operator.GE;
      };
    }

    /**
     * Whether two nodes of one level are the same test; the level implies the same half of an
     * argument.
     */
    boolean isSameTest(Node other) {
      return argument == other.argument
          && test == other.test
          && mask == other.mask
          && value == other.value;
    }

    boolean isBefore(Node other) {
      if (argument != other.argument) {
        return argument > other.argument;
      }
      if (rank() != other.rank()) {
        return rank() < other.rank();
      }
      int order = Integer.compareUnsigned(value, other.value);
      return rank() == 1 ? order < 0 : order > 0;
    }

    private int rank() {
      return switch (operator) {
        case EQ, NE, MASKED_EQ -> 0;
        case LT, LE -> 1;
        case GT, GE -> 2;
      };
    }
  }

  /** The subtree after a comparison: the end of a rule, or more comparisons. */
  private static final class Branch {
    private Optional<Rule> rule = Optional.empty();
    private List<Node> next = new ArrayList<>();

    Outcome end(Rule ending) throws RefusedException {
      List<Rule> longer = new ArrayList<>();
      collect(longer);
      for (Rule other : longer) {
        if (!other.action().equals(ending.action())) {
          throw new RefusedException(
              "%s, but another rule with these comparisons has %s"
                  .formatted(ending.action(), other.action()));
        }
      }
      if (rule.isPresent()) {
        return Outcome.REDUNDANT;
      }
      rule = Optional.of(ending);
      next = new ArrayList<>();
      return Outcome.ADDED;
    }

    void collect(List<Rule> rules) {
      rule.ifPresent(rules::add);
      CallRules.collect(next, rules);
    }
  }
}
