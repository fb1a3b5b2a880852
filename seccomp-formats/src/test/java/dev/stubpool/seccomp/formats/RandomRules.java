package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SystemCallTable;
import dev.stubpool.seccomp.formats.Comparison.Operator;
import dev.stubpool.testing.Effort;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Random rules on which libseccomp does what it means to do, and calls near their boundaries.
 *
 * <p>Left out is what {@link CallRules} says libseccomp gets wrong: each call has either rules of
 * one comparison, or of several of which only EQ and MASKED_EQ may be shared with other rules, or
 * one rule of any kind; NE, LT and LE have one action for a call; all values for one argument of a
 * call have the same high half; GT and GE rules for one argument have one action, but for the first
 * two, if no LT or LE comes before the second. There is no rule for a call that one of the
 * architectures lacks: with the first of all rules being such a one, libseccomp 2.5.4 and 2.6
 * compare all numbers with the architecture's.
 */
final class RandomRules {
  private static final List<SeccompAction> ACTIONS =
      List.of(
          SeccompAction.ALLOW,
          SeccompAction.ALLOW,
          SeccompAction.ALLOW,
          SeccompAction.LOG,
          SeccompAction.KILL_PROCESS,
          SeccompAction.TRAP,
          SeccompAction.errno(1),
          SeccompAction.errno(38),
          SeccompAction.trace(7));

  private static final long HIGH_HALF = 0xffff_ffff_0000_0000L;

  private final RandomGenerator random;
  private final List<String> names;
  private final int withComparisons;
  private final Map<String, Integer> shapes = new HashMap<>();
  private final Map<String, SeccompAction> sharedActions = new HashMap<>();
  private final Map<String, Greater> greater = new HashMap<>();
  private final Map<String, Long> highHalves = new HashMap<>();
  private final Map<String, List<Long>> values = new HashMap<>();

  /** The GT and GE rules for one argument of a call. */
  private static final class Greater {
    private int count;
    private boolean lessBefore;
    private long greatest;
    private SeccompAction action = SeccompAction.ALLOW;

    /** Adds one; returns the action that it may have. */
    SeccompAction add(long value, SeccompAction wanted) {
      boolean free = count == 0 || (count == 1 && !lessBefore);
      SeccompAction given = free ? wanted : action;
      if (count == 0 || Long.compareUnsigned(value, greatest) > 0) {
        greatest = value;
        action = given;
      }
      count++;
      return given;
    }
  }

  /** A rule as it is given to both. */
  record Rule(String call, SeccompAction action, List<Comparison> comparisons) {}

  /**
   * Rules for some calls.
   *
   * @param names the calls
   * @param withComparisons of 10 calls so many have rules with comparisons
   */
  RandomRules(RandomGenerator random, List<String> names, int withComparisons) {
    this.random = random;
    this.names = names;
    this.withComparisons = withComparisons;
  }

  SeccompAction action() {
    return Effort.oneOf(random, ACTIONS);
  }

  /** Some rules for a call; {@code spread} is how many of all calls may get some. */
  Rule next(int spread) {
    String call = names.get(random.nextInt(Math.min(spread, names.size())));
    int shape =
        shapes.computeIfAbsent(
            call, _ -> random.nextInt(10) < withComparisons ? random.nextInt(1, 5) : 0);
    values.computeIfAbsent(call, _ -> new ArrayList<>());
    List<Comparison> comparisons = new ArrayList<>();
    switch (shape) {
      case 0 -> {} // without comparisons
      case 1, 2 -> comparisons.add(comparison(call, random.nextInt(6), Operator.values()));
      case 3 -> {
        int count = 1 + random.nextInt(3);
        for (int argument = 0; comparisons.size() < count && argument < 6; argument++) {
          if (random.nextBoolean()) {
            comparisons.add(comparison(call, argument, Operator.EQ, Operator.MASKED_EQ));
          }
        }
      }
      default -> {
        shapes.put(call, 5);
        for (int argument = 0; argument < 6; argument++) {
          if (random.nextInt(3) == 0) {
            comparisons.add(comparison(call, argument, Operator.values()));
          }
        }
      }
      case 5 -> {
        return next(names.size());
      }
    }
    SeccompAction action = action();
    for (Comparison comparison : comparisons) {
      Greater others = greater.computeIfAbsent(call + comparison.argument(), _ -> new Greater());
      switch (comparison.operator()) {
        case NE, LT, LE -> {
          action = sharedActions.computeIfAbsent(call, _ -> Effort.oneOf(random, ACTIONS));
          others.lessBefore |= comparison.operator() != Operator.NE;
        }
        case GT, GE -> action = others.add(comparison.value(), action);
        default -> {}
      }
    }
    return new Rule(call, action, comparisons);
  }

  private Comparison comparison(String call, int argument, Operator... operators) {
    Operator operator = operators[random.nextInt(operators.length)];
    long any =
        switch (random.nextInt(8)) {
          case 0 -> random.nextLong();
          case 1 -> random.nextInt() & 0xffff_ffffL;
          case 2 -> 1L << random.nextInt(64);
          case 3 -> (1L << random.nextInt(64)) - 1;
          default -> random.nextInt(8);
        };
    long high = highHalves.computeIfAbsent(call + argument, _ -> any & HIGH_HALF);
    long value = high | (any & ~HIGH_HALF);
    values.get(call).add(value);
    if (operator != Operator.MASKED_EQ) {
      return Comparison.of(argument, operator, value);
    }
    long mask = random.nextBoolean() ? random.nextInt(16) : random.nextLong();
    return Comparison.masked(argument, mask, value & (random.nextInt(4) == 0 ? -1 : mask));
  }

  /** A call that some rule may match, often just so or just not. */
  SeccompData call(Architecture architecture) {
    SystemCallTable table = SystemCallTable.of(architecture);
    List<String> known =
        values.keySet().stream().filter(name -> table.find(name).isPresent()).sorted().toList();
    if (known.isEmpty() || random.nextInt(20) == 0) {
      int nr = random.nextInt(600) | (architecture == Architecture.X32 ? Architecture.X32_BIT : 0);
      return SeccompData.of(
          architecture, nr, random.nextLong(), arguments(List.of(), architecture));
    }
    String name = Effort.oneOf(random, known);
    return SeccompData.of(
        architecture,
        table.number(name),
        random.nextLong(),
        arguments(values.get(name), architecture));
  }

  private long[] arguments(List<Long> near, Architecture architecture) {
    long[] arguments = new long[6];
    for (int i = 0; i < arguments.length; i++) {
      long value =
          near.isEmpty() || random.nextInt(8) == 0
              ? random.nextLong()
              : Effort.oneOf(random, near) + random.nextInt(-1, 2);
      if (random.nextInt(8) == 0) {
        value ^= 1L << random.nextInt(64);
      }
      arguments[i] = architecture.bits() == 32 ? value & 0xffff_ffffL : value;
    }
    return arguments;
  }
}
