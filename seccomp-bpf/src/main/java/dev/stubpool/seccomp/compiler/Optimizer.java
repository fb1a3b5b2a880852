package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SeccompRule;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Tries several orders of words and keeps the program with the least cost.
 *
 * <p>First it chooses one order for all numbers, then, as long as the cost decreases, other orders
 * for the numbers of single rule lists.
 */
final class Optimizer {

  /**
   * Up to this many numbers with conditions are optimized one by one; for more, only few orders are
   * tried.
   */
  private static final int MANY_CONDITIONAL_NUMBERS = 40;

  private static final int FEW_ORDERS = 2;
  private static final int MAX_ROUNDS = 3;

  /** The rules of a number without the number. */
  private record Rules(List<RuleBody> bodies) {}

  private record RuleBody(List<Condition> conditions, int value) {}

  /** A program and its cost; less is better. */
  private record Result(List<BpfInstruction> code, double cost) {}

  private final SeccompPolicy policy;
  private final Diagram diagram = new Diagram();
  private final DiagramBuilder builder;
  private final Costs costs;

  /** The rules of each number of each architecture; equal rule lists are one object. */
  private final SequencedMap<Architecture, SortedMap<Integer, Rules>> lists = new LinkedHashMap<>();

  /** The candidate diagrams of rule lists, by the index of the order. */
  private final Map<Rules, List<Diagram.Node>> options = new LinkedHashMap<>();

  private Optimizer(SeccompPolicy policy, CompilerOptions options, Tuning tuning) {
    this.policy = policy;
    builder = new DiagramBuilder(diagram, policy.defaultAction().encode());
    costs = new Costs(policy, options, tuning);
  }

  static List<BpfInstruction> compile(
      SeccompPolicy policy, CompilerOptions options, Tuning tuning) {
    List<BpfInstruction> code = new Optimizer(policy, options, tuning).compile();
    if (code.size() <= Bpf.MAXINSNS) {
      return code;
    }
    CompilerOptions smaller = new CompilerOptions(Optimization.SIZE, options.weights());
    return new Optimizer(policy, smaller, tuning.smallest()).compile();
  }

  private List<BpfInstruction> compile() {
    Map<Rules, List<SeccompRule>> conditional = collect();
    List<WordOrder> orders = WordOrder.all();
    if (conditional.size() > MANY_CONDITIONAL_NUMBERS) {
      orders = orders.subList(0, FEW_ORDERS);
    }
    for (Map.Entry<Rules, List<SeccompRule>> entry : conditional.entrySet()) {
      options.put(entry.getKey(), builder.build(entry.getValue(), orders));
    }

    Map<Rules, Diagram.Node> chosen = new HashMap<>();
    Result best = null;
    Set<Map<Rules, Diagram.Node>> tried = new LinkedHashSet<>();
    for (int order = 0; order < orders.size(); order++) {
      Map<Rules, Diagram.Node> choice = new HashMap<>();
      for (Map.Entry<Rules, List<Diagram.Node>> entry : options.entrySet()) {
        choice.put(entry.getKey(), entry.getValue().get(order));
      }
      if (tried.add(choice)) {
        Result result = program(choice);
        if (best == null || result.cost < best.cost) {
          best = result;
          chosen = choice;
        }
      }
    }
    return conditional.size() > MANY_CONDITIONAL_NUMBERS ? best.code : climb(chosen, best).code;
  }

  /**
   * Hill climbing: changes the diagram of one rule list after the other, as long as the cost
   * decreases.
   */
  private Result climb(Map<Rules, Diagram.Node> chosen, Result start) {
    Result best = start;
    boolean better = true;
    for (int round = 0; better && round < MAX_ROUNDS; round++) {
      better = false;
      for (Map.Entry<Rules, List<Diagram.Node>> entry : options.entrySet()) {
        for (Diagram.Node option : new LinkedHashSet<>(entry.getValue())) {
          Diagram.Node old = chosen.get(entry.getKey());
          if (option.equals(old)) {
            continue;
          }
          chosen.put(entry.getKey(), option);
          Result result = program(chosen);
          if (result.cost < best.cost) {
            best = result;
            better = true;
          } else {
            chosen.put(entry.getKey(), old);
          }
        }
      }
    }
    return best;
  }

  private Map<Rules, List<SeccompRule>> collect() {
    Map<Rules, List<SeccompRule>> result = new LinkedHashMap<>();
    policy
        .rules()
        .forEach(
            (architecture, rules) -> {
              SortedMap<Integer, Rules> byNumber = new TreeMap<>(Integer::compareUnsigned);
              DiagramBuilder.byNumber(rules)
                  .forEach(
                      (nr, list) -> {
                        Rules key =
                            new Rules(
                                list.stream()
                                    .map(
                                        rule ->
                                            new RuleBody(rule.conditions(), rule.action().encode()))
                                    .toList());
                        result.putIfAbsent(key, list);
                        byNumber.put(nr, key);
                      });
              lists.put(architecture, byNumber);
            });
    return result;
  }

  private Result program(Map<Rules, Diagram.Node> chosen) {
    Diagram.Node root = root(chosen);
    Block block = new BlockBuilder(costs::tree).build(root);
    List<BpfInstruction> code = Layout.layOut(block);
    return new Result(code, costs.of(code, block));
  }

  private Diagram.Node root(Map<Rules, Diagram.Node> chosen) {
    Diagram.Node bad = diagram.leaf(policy.badArchitectureAction().encode());
    SortedMap<Integer, Diagram.Node> byAudit = new TreeMap<>(Integer::compareUnsigned);
    lists.forEach(
        (architecture, byNumber) ->
            byAudit.computeIfAbsent(
                architecture.auditValue(), audit -> numbers(audit, bad, chosen)));
    Ranges ranges = new Ranges(bad);
    byAudit.forEach((audit, node) -> ranges.put(Integer.toUnsignedLong(audit), node));
    return ranges.choose(diagram, new Operand.Word(SeccompData.ARCH_OFFSET));
  }

  private Diagram.Node numbers(int audit, Diagram.Node bad, Map<Rules, Diagram.Node> chosen) {
    Diagram.Node other = diagram.leaf(policy.defaultAction().encode());
    Ranges ranges = new Ranges(other);
    if (audit == Architecture.X86_64.auditValue()) {
      Diagram.Node own = lists.containsKey(Architecture.X86_64) ? other : bad;
      Diagram.Node x32 = lists.containsKey(Architecture.X32) ? other : bad;
      ranges = new Ranges(own);
      ranges.from(0x4000_0000L, x32);
      ranges.from(0x8000_0000L, own);
      ranges.from(0xc000_0000L, x32);
      ranges.from(0xffff_ffffL, own);
    }
    SequencedMap<Long, Diagram.Node> byNumber = new LinkedHashMap<>();
    Map<Long, Diagram.Node> firstOptions = new LinkedHashMap<>();
    lists.forEach(
        (architecture, rules) -> {
          if (architecture.auditValue() == audit) {
            rules.forEach(
                (nr, list) -> {
                  byNumber.put(Integer.toUnsignedLong(nr), chosen.get(list));
                  firstOptions.put(Integer.toUnsignedLong(nr), options.get(list).getFirst());
                });
          }
        });
    Diagram.Node node = hoist(byNumber, ranges, other);
    Diagram.Node choice = node;
    while (choice instanceof Diagram.Choice above && !Costs.isByNumber(above)) {
      choice = above.children().stream().filter(child -> !child.equals(other)).findFirst().get();
    }
    costs.chooses(choice, audit, firstOptions);
    return node;
  }

  /**
   * Moves choices that all numbers have in common before the choice between numbers.
   *
   * @param byNumber the diagram of each number
   * @param ranges the diagrams of the other numbers
   */
  private Diagram.Node hoist(
      SequencedMap<Long, Diagram.Node> byNumber, Ranges ranges, Diagram.Node other) {
    List<Diagram.Choice> choices = new ArrayList<>();
    for (Diagram.Node node : byNumber.values()) {
      if (node instanceof Diagram.Choice choice) {
        choices.add(choice);
      } else if (!node.equals(other)) {
        choices.clear();
        break;
      }
    }
    int passed = choices.size() < 2 ? -1 : passedRange(choices, other);
    if (passed < 0 || !ranges.isOnly(other)) {
      Ranges all = ranges.copy();
      byNumber.forEach(all::put);
      return all.choose(diagram, new Operand.Word(SeccompData.NR_OFFSET));
    }
    Diagram.Choice first = choices.getFirst();
    SequencedMap<Long, Diagram.Node> passing = new LinkedHashMap<>();
    byNumber.forEach(
        (nr, node) ->
            passing.put(nr, node instanceof Diagram.Choice choice ? choice.child(passed) : node));
    List<Diagram.Node> children = new ArrayList<>(Collections.nCopies(first.size(), other));
    children.set(passed, hoist(passing, ranges, other));
    long[] ends = new long[first.size()];
    for (int i = 0; i < ends.length; i++) {
      ends[i] = first.hi(i);
    }
    return diagram.choose(first.operand(), ends, children);
  }

  /**
   * The only range that does not lead to the default, if it is the same for all choices; else -1.
   */
  private static int passedRange(List<Diagram.Choice> choices, Diagram.Node other) {
    Diagram.Choice first = choices.getFirst();
    int passed = -1;
    for (int i = 0; i < first.size(); i++) {
      if (!first.child(i).equals(other)) {
        if (passed >= 0) {
          return -1;
        }
        passed = i;
      }
    }
    for (Diagram.Choice choice : choices) {
      if (!choice.operand().equals(first.operand()) || choice.size() != first.size()) {
        return -1;
      }
      for (int i = 0; i < first.size(); i++) {
        if (choice.hi(i) != first.hi(i) || (i != passed && !choice.child(i).equals(other))) {
          return -1;
        }
      }
    }
    return passed;
  }
}
