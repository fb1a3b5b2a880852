package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompField;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * Functions of the words of {@code struct seccomp_data}, as decisions in the order of a policy's
 * rules: every node compares one operand with a constant. Equal nodes are shared; a node is
 * identified by a number.
 *
 * <p>Formulas are not ordered: an operand may be tested several times on a path to a leaf. {@link
 * DiagramBuilder} orders them by {@link #restrict}.
 */
final class Formula {

  private enum Test {
    EQUAL,
    GREATER,
    GREATER_OR_EQUAL;

    /** Whether the test holds on a range on which it is constant. */
    boolean holds(long lo, long hi, long k) {
      return switch (this) {
        case EQUAL -> lo == k && hi == k;
        case GREATER -> lo > k;
        case GREATER_OR_EQUAL -> lo >= k;
      };
    }
  }

  private record Node(Operand operand, Test test, long k, int ifTrue, int ifFalse, int level) {}

  /** The level of leaves: below every operand. */
  static final int LEAF_LEVEL = Integer.MAX_VALUE;

  private final Comparator<Operand> order;
  private final List<Node> nodes = new ArrayList<>();
  private final Map<Node, Integer> numbers = new HashMap<>();
  private final Map<Operand, Integer> levels = new LinkedHashMap<>();
  private final Map<Integer, Integer> leaves = new HashMap<>();
  private final List<Integer> leafValues = new ArrayList<>();
  private List<Operand> sorted = List.of();

  /** The level of each node's own operand. */
  private int[] own = {};

  private long work;

  Formula(Comparator<Operand> order) {
    this.order = order;
  }

  /** The number of nodes visited, by which ordering is limited. */
  long work() {
    return work;
  }

  /** The number of nodes. */
  int size() {
    return nodes.size();
  }

  /** The constant function of a value; leaves have negative numbers. */
  int leaf(int value) {
    return leaves.computeIfAbsent(
        value,
        _ -> {
          leafValues.add(value);
          return -leafValues.size();
        });
  }

  boolean isLeaf(int function) {
    return function < 0;
  }

  int leafValue(int function) {
    return leafValues.get(-function - 1);
  }

  private int choose(Operand operand, Test test, long k, int ifTrue, int ifFalse) {
    if (ifTrue == ifFalse) {
      return ifTrue;
    }
    // Levels are known once all operands are: see freeze.
    levels.putIfAbsent(operand, -1);
    return intern(new Node(operand, test, k, ifTrue, ifFalse, levels.get(operand)));
  }

  private int intern(Node node) {
    Integer known = numbers.putIfAbsent(node, nodes.size());
    if (known != null) {
      return known;
    }
    nodes.add(node);
    int number = nodes.size() - 1;
    if (number >= own.length) {
      own = Arrays.copyOf(own, 2 * number + 16);
    }
    own[number] = levels.get(node.operand);
    return number;
  }

  /**
   * Orders the operands, after all functions were added. Afterwards functions may only be
   * restricted.
   */
  void freeze() {
    sorted = levels.keySet().stream().sorted(order).toList();
    for (int i = 0; i < sorted.size(); i++) {
      levels.put(sorted.get(i), i);
    }
    numbers.clear();
    for (int i = 0; i < nodes.size(); i++) {
      Node old = nodes.get(i);
      int level =
          Math.min(levels.get(old.operand), Math.min(level(old.ifTrue), level(old.ifFalse)));
      Node node = new Node(old.operand, old.test, old.k, old.ifTrue, old.ifFalse, level);
      nodes.set(i, node);
      own[i] = levels.get(old.operand);
      numbers.put(node, i);
    }
  }

  /** The position of the first operand, in order, on which a function depends. */
  int level(int function) {
    return isLeaf(function) ? LEAF_LEVEL : nodes.get(function).level;
  }

  Operand operand(int level) {
    return sorted.get(level);
  }

  /** All operands in order. */
  List<Operand> sorted() {
    return sorted;
  }

  /** The decision at the top of a function, as a choice between ranges. */
  long[] topEnds(int function) {
    Node node = nodes.get(function);
    TreeSet<Long> begins = new TreeSet<>();
    addBegins(node, begins);
    return ends(begins, node.operand.max());
  }

  Operand topOperand(int function) {
    return nodes.get(function).operand;
  }

  int topBranch(int function, long lo, long hi) {
    Node node = nodes.get(function);
    return node.test.holds(lo, hi, node.k) ? node.ifTrue : node.ifFalse;
  }

  /** The last values of the ranges of an operand on which all of some functions are constant. */
  long[] ends(int level, int... functions) {
    Operand operand = operand(level);
    TreeSet<Long> begins = new TreeSet<>();
    boolean[] seen = new boolean[nodes.size()];
    Deque<Integer> pending = new ArrayDeque<>();
    for (int function : functions) {
      pending.push(function);
    }
    while (!pending.isEmpty()) {
      int function = pending.pop();
      if (level(function) > level || seen[function]) {
        continue;
      }
      seen[function] = true;
      work++;
      Node node = nodes.get(function);
      if (node.operand.equals(operand)) {
        addBegins(node, begins);
      }
      pending.push(node.ifTrue);
      pending.push(node.ifFalse);
    }
    return ends(begins, operand.max());
  }

  private static long[] ends(NavigableSet<Long> begins, long max) {
    long[] ends = new long[begins.size() + 1];
    int n = 0;
    for (long begin : begins) {
      ends[n++] = begin - 1;
    }
    ends[n] = max;
    return ends;
  }

  private static void addBegins(Node node, NavigableSet<Long> begins) {
    if (node.test != Test.GREATER) {
      begins.add(node.k);
    }
    if (node.test != Test.GREATER_OR_EQUAL) {
      begins.add(node.k + 1);
    }
    begins.remove(0L);
    begins.tailSet(node.operand.max(), false).clear();
  }

  /** The function that remains if the operand of a level, the first one, is in a range. */
  int restrict(int function, int level, long lo, long hi) {
    int rest = function;
    while (level(rest) <= level && own[rest] == level) {
      Node node = nodes.get(rest);
      rest = node.test.holds(lo, hi, node.k) ? node.ifTrue : node.ifFalse;
    }
    return level(rest) > level ? rest : restrictInside(rest, level, lo, hi);
  }

  private int restrictInside(int function, int level, long lo, long hi) {
    Operand operand = operand(level);
    Map<Integer, Integer> known = new HashMap<>();
    Deque<Integer> pending = new ArrayDeque<>();
    pending.push(function);
    while (!pending.isEmpty()) {
      int next = pending.peek();
      if (level(next) > level || known.containsKey(next)) {
        pending.pop();
        continue;
      }
      Node node = nodes.get(next);
      boolean decided = node.operand.equals(operand);
      boolean holds = decided && node.test.holds(lo, hi, node.k);
      Integer ifTrue = decided && !holds ? null : restricted(node.ifTrue, level, known, pending);
      Integer ifFalse = holds ? null : restricted(node.ifFalse, level, known, pending);
      if (pending.peek() != next) {
        continue; // branches first
      }
      pending.pop();
      work++;
      if (decided) {
        known.put(next, holds ? ifTrue : ifFalse);
      } else if (ifTrue.equals(ifFalse)) {
        known.put(next, ifTrue);
      } else {
        int own = levels.get(node.operand);
        int min = Math.min(own, Math.min(level(ifTrue), level(ifFalse)));
        known.put(next, intern(new Node(node.operand, node.test, node.k, ifTrue, ifFalse, min)));
      }
    }
    return known.getOrDefault(function, function);
  }

  /** The restricted branch, or null if it is not known yet; then the branch becomes pending. */
  private Integer restricted(
      int function, int level, Map<Integer, Integer> known, Deque<Integer> pending) {
    if (level(function) > level) {
      return function;
    }
    Integer result = known.get(function);
    if (result == null) {
      pending.push(function);
    }
    return result;
  }

  /** The function that equals one function where all conditions hold, and another one elsewhere. */
  int all(List<Condition> conditions, int ifTrue, int ifFalse) {
    int result = ifTrue;
    for (Condition condition : conditions.reversed()) {
      result = branch(condition, result, ifFalse);
    }
    return result;
  }

  private int branch(Condition condition, int ifTrue, int ifFalse) {
    return switch (condition) {
      case Condition.Compare compare -> compare(compare, ifTrue, ifFalse);
      case Condition.MaskedEqual(Condition.Subject subject, long mask, long value) ->
          masked(subject.field(), mask, value, ifTrue, ifFalse);
      case Condition.InRange range -> {
        int notBelow = above(range.subject(), Test.GREATER, range.hi(), ifFalse, ifTrue);
        yield above(range.subject(), Test.GREATER_OR_EQUAL, range.lo(), notBelow, ifFalse);
      }
      case Condition.AnyOf(Condition.Subject subject, List<Long> values) ->
          anyOf(subject, values, ifTrue, ifFalse);
      case Condition.All(List<Condition> conditions) -> all(conditions, ifTrue, ifFalse);
      case Condition.Any(List<Condition> conditions) -> {
        int result = ifFalse;
        for (Condition each : conditions.reversed()) {
          result = branch(each, ifTrue, result);
        }
        yield result;
      }
      case Condition.Not(Condition inner) -> branch(inner, ifFalse, ifTrue);
      case Condition.RangeOutside outside ->
          choose(new Operand.Outside(outside), Test.EQUAL, 1, ifTrue, ifFalse);
    };
  }

  private int compare(Condition.Compare compare, int ifTrue, int ifFalse) {
    Condition.Subject subject = compare.subject();
    long value = compare.value();
    long allBits = isWide(subject) ? -1 : Condition.LOW_HALF;
    return switch (compare.comparison()) {
      case EQUAL -> masked(subject.field(), allBits, value, ifTrue, ifFalse);
      case NOT_EQUAL -> masked(subject.field(), allBits, value, ifFalse, ifTrue);
      case GREATER -> above(subject, Test.GREATER, value, ifTrue, ifFalse);
      case GREATER_OR_EQUAL -> above(subject, Test.GREATER_OR_EQUAL, value, ifTrue, ifFalse);
      case LESS -> above(subject, Test.GREATER_OR_EQUAL, value, ifFalse, ifTrue);
      case LESS_OR_EQUAL -> above(subject, Test.GREATER, value, ifFalse, ifTrue);
      case SIGNED_GREATER -> signedAbove(subject, Test.GREATER, value, ifTrue, ifFalse);
      case SIGNED_GREATER_OR_EQUAL ->
          signedAbove(subject, Test.GREATER_OR_EQUAL, value, ifTrue, ifFalse);
      case SIGNED_LESS -> signedAbove(subject, Test.GREATER_OR_EQUAL, value, ifFalse, ifTrue);
      case SIGNED_LESS_OR_EQUAL -> signedAbove(subject, Test.GREATER, value, ifFalse, ifTrue);
    };
  }

  private static boolean isWide(Condition.Subject subject) {
    return subject.width() == Condition.Width.BITS_64;
  }

  /** Compares the signs first; with equal signs, signed and unsigned order agree. */
  private int signedAbove(
      Condition.Subject subject, Test test, long value, int ifTrue, int ifFalse) {
    boolean wide = isWide(subject);
    boolean negative = wide ? value < 0 : (int) value < 0;
    SeccompField field = subject.field();
    Operand sign = new Operand.Word(wide ? field.highOffset() : field.lowOffset());
    int sameSign = above(subject, test, value, ifTrue, ifFalse);
    return choose(
        sign,
        Test.GREATER_OR_EQUAL,
        0x8000_0000L,
        negative ? sameSign : ifFalse,
        negative ? ifTrue : sameSign);
  }

  private int above(Condition.Subject subject, Test test, long value, int ifTrue, int ifFalse) {
    int byLow =
        choose(new Operand.Word(subject.field().lowOffset()), test, low(value), ifTrue, ifFalse);
    if (!isWide(subject)) {
      return byLow;
    }
    Operand high = new Operand.Word(subject.field().highOffset());
    int notAbove = choose(high, Test.EQUAL, high(value), byLow, ifFalse);
    return choose(high, Test.GREATER, high(value), ifTrue, notAbove);
  }

  private int masked(SeccompField field, long mask, long value, int ifTrue, int ifFalse) {
    int byLow = maskedWord(field.lowOffset(), low(mask), low(value), ifTrue, ifFalse);
    return maskedWord(field.highOffset(), high(mask), high(value), byLow, ifFalse);
  }

  private int maskedWord(int offset, long mask, long value, int ifTrue, int ifFalse) {
    long others = ~mask & Condition.LOW_HALF;
    Operand word = new Operand.Word(offset);
    if (mask == 0) {
      return ifTrue;
    }
    if (others == 0) {
      return choose(word, Test.EQUAL, value, ifTrue, ifFalse);
    }
    boolean upperBits = (others & (others + 1)) == 0;
    if (upperBits && value == 0) {
      return choose(word, Test.GREATER, others, ifFalse, ifTrue);
    }
    if (upperBits && value == mask) {
      return choose(word, Test.GREATER_OR_EQUAL, mask, ifTrue, ifFalse);
    }
    return choose(new Operand.Word(offset, (int) mask), Test.EQUAL, value, ifTrue, ifFalse);
  }

  /**
   * Compares the high half with each distinct high half of the values, then the low half with the
   * matching low halves.
   */
  private int anyOf(Condition.Subject subject, List<Long> values, int ifTrue, int ifFalse) {
    Operand lowWord = new Operand.Word(subject.field().lowOffset());
    Map<Long, Integer> byHigh = new LinkedHashMap<>();
    for (long value : values.reversed()) {
      int rest = byHigh.getOrDefault(high(value), ifFalse);
      byHigh.put(high(value), choose(lowWord, Test.EQUAL, low(value), ifTrue, rest));
    }
    if (!isWide(subject)) {
      return byHigh.values().iterator().next();
    }
    Operand highWord = new Operand.Word(subject.field().highOffset());
    int result = ifFalse;
    for (Map.Entry<Long, Integer> entry : byHigh.entrySet()) {
      result = choose(highWord, Test.EQUAL, entry.getKey(), entry.getValue(), result);
    }
    return result;
  }

  private static long high(long value) {
    return value >>> Integer.SIZE;
  }

  private static long low(long value) {
    return value & Condition.LOW_HALF;
  }
}
