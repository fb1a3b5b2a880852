package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.SeccompRule;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Builds diagrams of an architecture's rules: one for each number, or one whose first choices, on
 * operands that all rules test, come before the number.
 */
final class DiagramBuilder {

  /**
   * The limit for formula nodes visited for the rules of one number. Ordering by operands can make
   * rules exponentially larger; beyond this limit the rules' own order is kept.
   */
  private static final long MAX_WORK = 3_000_000;

  /**
   * The limit for the nodes of an ordered diagram, in addition to {@link #SMALL}, as a multiple of
   * those in the rules' own order.
   */
  private static final int MAX_GROWTH = 4;

  private static final int SMALL = 64;

  /** The number of nodes from which rules count as long. */
  private static final int MANY_NODES = 150;

  /** The limit for the operands on a path to an answer. */
  private static final int MAX_DEPTH = 500;

  private final Diagram diagram;
  private final int defaultValue;

  DiagramBuilder(Diagram diagram, int defaultValue) {
    this.diagram = diagram;
    this.defaultValue = defaultValue;
  }

  /**
   * Groups rules by number.
   *
   * @param rules the rules in order
   * @return the rules of each number, in unsigned order of numbers
   */
  static SortedMap<Integer, List<SeccompRule>> byNumber(List<SeccompRule> rules) {
    SortedMap<Integer, List<SeccompRule>> result = new TreeMap<>(Integer::compareUnsigned);
    for (SeccompRule rule : rules) {
      result.computeIfAbsent(rule.nr(), _ -> new ArrayList<>()).add(rule);
    }
    return result;
  }

  /**
   * Builds the diagrams of one number.
   *
   * @param rules its rules in order
   * @param orders the orders of operands to try
   * @return a diagram for each order, in the rules' own order where the given one would be far
   *     larger; for long rules, the same diagram for all
   */
  List<Diagram.Node> build(List<SeccompRule> rules, List<WordOrder> orders) {
    Map<List<Operand>, Diagram.Node> known = new HashMap<>();
    List<Diagram.Node> result = new ArrayList<>();
    for (WordOrder order : orders) {
      Formula formula = new Formula(order);
      int function = firstMatch(formula, rules);
      formula.freeze();
      Diagram.Node node = known.get(formula.sorted());
      if (node == null) {
        node = sort(formula, function);
        known.put(formula.sorted(), node);
      }
      result.add(node);
      if (formula.size() > MANY_NODES) {
        return Collections.nCopies(orders.size(), node);
      }
    }
    return result;
  }

  private Diagram.Node sort(Formula formula, int function) {
    Sorting sorting = new Sorting(formula);
    Diagram.Node sorted = sorting.sort(function, 0);
    return sorting.failed ? inOwnOrder(formula, function) : sorted;
  }

  private int firstMatch(Formula formula, List<SeccompRule> rules) {
    int result = formula.leaf(defaultValue);
    for (SeccompRule rule : rules.reversed()) {
      result = formula.all(rule.conditions(), formula.leaf(rule.action().encode()), result);
    }
    return result;
  }

  private Diagram.Node inOwnOrder(Formula formula, int function) {
    if (formula.isLeaf(function)) {
      return diagram.leaf(formula.leafValue(function));
    }
    List<Diagram.Node> nodes = new ArrayList<>();
    for (int i = 0; i <= function; i++) { // branches have lower numbers
      long[] ends = formula.topEnds(i);
      List<Diagram.Node> children = new ArrayList<>();
      for (int j = 0; j < ends.length; j++) {
        int branch = formula.topBranch(i, j == 0 ? 0 : ends[j - 1] + 1, ends[j]);
        children.add(
            formula.isLeaf(branch) ? diagram.leaf(formula.leafValue(branch)) : nodes.get(branch));
      }
      nodes.add(diagram.choose(formula.topOperand(i), ends, children));
    }
    return nodes.getLast();
  }

  /** The ordering of one formula. */
  private final class Sorting {
    private final Formula formula;
    private final long limit;
    private final Map<Integer, Diagram.Node> known = new HashMap<>();
    private boolean failed;

    Sorting(Formula formula) {
      this.formula = formula;
      limit = SMALL + (long) MAX_GROWTH * formula.size();
    }

    Diagram.Node sort(int function, int depth) {
      if (formula.isLeaf(function)) {
        return diagram.leaf(formula.leafValue(function));
      }
      Diagram.Node node = known.get(function);
      if (node != null) {
        return node;
      }
      failed |= formula.work() > MAX_WORK || known.size() > limit || depth > MAX_DEPTH;
      if (failed) {
        return diagram.leaf(defaultValue); // thrown away
      }
      int level = formula.level(function);
      long[] ends = formula.ends(level, function);
      List<Diagram.Node> children = new ArrayList<>();
      for (int i = 0; i < ends.length; i++) {
        children.add(
            sort(
                formula.restrict(function, level, i == 0 ? 0 : ends[i - 1] + 1, ends[i]),
                depth + 1));
      }
      node = diagram.choose(formula.operand(level), ends, children);
      known.put(function, node);
      return node;
    }
  }
}
