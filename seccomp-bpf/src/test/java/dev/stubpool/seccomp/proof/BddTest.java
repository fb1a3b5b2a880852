package dev.stubpool.seccomp.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.stubpool.testing.Effort;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Against truth tables of six variables, each a {@code long}: bit i is the value for input i. */
class BddTest {

  private static final int VARIABLES = 6;
  private static final int MAX_NODES = 1_000_000;

  private final Bdd bdd = new Bdd(VARIABLES, MAX_NODES);

  /** A function both ways. */
  private record Function(int f, long table) {}

  /** The truth table of a variable. */
  private static long table(int variable) {
    long table = 0;
    for (int input = 0; input < 1 << VARIABLES; input++) {
      table |= (long) (input >>> variable & 1) << input;
    }
    return table;
  }

  private long tableOf(int f) {
    long table = 0;
    for (int input = 0; input < 1 << VARIABLES; input++) {
      if (bdd.evaluate(f, BitSet.valueOf(new long[] {input}))) {
        table |= 1L << input;
      }
    }
    return table;
  }

  private int functionOf(long table) {
    int f = Bdd.FALSE;
    for (int input = 0; input < 1 << VARIABLES; input++) {
      int product = Bdd.TRUE;
      for (int i = 0; i < VARIABLES; i++) {
        int variable = bdd.variable(i);
        product = bdd.and(product, (input >>> i & 1) != 0 ? variable : Bdd.not(variable));
      }
      f = (table >>> input & 1) != 0 ? bdd.or(f, product) : f;
    }
    return f;
  }

  private List<Function> randomFunctions(RandomGenerator random) {
    List<Function> functions = new ArrayList<>();
    functions.add(new Function(Bdd.TRUE, -1));
    functions.add(new Function(Bdd.FALSE, 0));
    for (int i = 0; i < VARIABLES; i++) {
      functions.add(new Function(bdd.variable(i), table(i)));
    }
    for (int i = 0; i < 40; i++) {
      Function a = Effort.oneOf(random, functions);
      Function b = Effort.oneOf(random, functions);
      Function c = Effort.oneOf(random, functions);
      functions.add(
          switch (random.nextInt(6)) {
            case 0 -> new Function(Bdd.not(a.f), ~a.table);
            case 1 -> new Function(bdd.and(a.f, b.f), a.table & b.table);
            case 2 -> new Function(bdd.or(a.f, b.f), a.table | b.table);
            case 3 -> new Function(bdd.xor(a.f, b.f), a.table ^ b.table);
            case 4 -> new Function(bdd.minus(a.f, b.f), a.table & ~b.table);
            default ->
                new Function(bdd.ite(a.f, b.f, c.f), (a.table & b.table) | (~a.table & c.table));
          });
    }
    return functions;
  }

  @Test
  void shouldComputeAsTruthTablesDo() {
    Effort.forEachSeed(
        Effort.cases(300, 50_000),
        seed -> {
          for (Function function : randomFunctions(Effort.random(seed))) {
            assertThat(tableOf(function.f)).isEqualTo(function.table);
          }
        });
  }

  @Test
  void shouldHaveOneFormForEachFunction() {
    Effort.forEachSeed(
        Effort.cases(100, 20_000),
        seed -> {
          List<Function> functions = randomFunctions(Effort.random(seed));
          for (Function a : functions) {
            for (Function b : functions) {
              assertThat(a.f == b.f).isEqualTo(a.table == b.table);
              assertThat(Bdd.not(a.f) == b.f).isEqualTo(~a.table == b.table);
            }
          }
        });
  }

  @Test
  void shouldRestrictQuantifyAndFindWhatMatters() {
    Effort.forEachSeed(
        Effort.cases(300, 50_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          Function function = randomFunctions(random).getLast();
          int variable = random.nextInt(VARIABLES);
          long mask = table(variable);
          int distance = 1 << variable;
          long ifTrue = function.table & mask;
          ifTrue |= ifTrue >>> distance;
          long ifFalse = function.table & ~mask;
          ifFalse |= ifFalse << distance;
          byte[] values = new byte[VARIABLES];
          Arrays.fill(values, Bdd.FREE);
          BitSet quantified = new BitSet();
          quantified.set(variable);

          values[variable] = 1;
          assertThat(bdd.restrict(function.f, values)).isEqualTo(functionOf(ifTrue));
          values[variable] = 0;
          assertThat(bdd.restrict(function.f, values)).isEqualTo(functionOf(ifFalse));
          assertThat(bdd.exists(function.f, quantified)).isEqualTo(functionOf(ifTrue | ifFalse));
          assertThat(bdd.support(function.f).get(variable)).isEqualTo(ifTrue != ifFalse);
        });
  }

  @Test
  void shouldSimplifyWhatDoesNotMatter() {
    Effort.forEachSeed(
        Effort.cases(300, 50_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          List<Function> functions = randomFunctions(random);
          Function function = Effort.oneOf(random, functions);
          Function care = Effort.oneOf(random, functions);
          if (care.table != 0) {
            int simple = bdd.simplify(function.f, care.f);
            assertThat(tableOf(simple) & care.table).isEqualTo(function.table & care.table);
            assertThat(bdd.simplify(care.f, care.f)).isEqualTo(Bdd.TRUE);
            assertThat(bdd.simplify(Bdd.not(care.f), care.f)).isEqualTo(Bdd.FALSE);
          }
        });
  }

  @Test
  void shouldFindTheLightestInput() {
    Effort.forEachSeed(
        Effort.cases(300, 50_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          int[] weights = random.ints(VARIABLES, 0, 3).toArray();
          for (Function function : randomFunctions(random)) {
            if (function.table != 0) {
              BitSet found = bdd.lightest(function.f, weights);
              assertThat(bdd.evaluate(function.f, found)).isTrue();
              assertThat(weight(found, weights)).isEqualTo(lightest(function.table, weights));
            }
          }
        });
  }

  private static int lightest(long table, int[] weights) {
    int lightest = Integer.MAX_VALUE;
    for (int input = 0; input < 1 << VARIABLES; input++) {
      if ((table >>> input & 1) != 0) {
        int weight = weight(BitSet.valueOf(new long[] {input}), weights);
        lightest = Math.min(lightest, weight);
      }
    }
    return lightest;
  }

  private static int weight(BitSet input, int[] weights) {
    return input.stream().map(i -> weights[i]).sum();
  }

  @Test
  void shouldStopAtTheLimitOfNodes() {
    Bdd small = new Bdd(64, 1_000);

    assertThatExceptionOfType(BddLimitException.class)
        .isThrownBy(() -> addEquals(small, 32))
        .withMessage("more than 1,000 nodes");
  }

  @Test
  void shouldGrow() {
    Bdd large = new Bdd(64, MAX_NODES);
    int equal = addEquals(large, 13);

    assertThat(large.nodes()).isGreaterThan(10_000);
    BitSet values = new BitSet();
    assertThat(large.evaluate(equal, values)).isTrue();
    values.set(5);
    assertThat(large.evaluate(equal, values)).isFalse();
    values.set(32 + 5);
    assertThat(large.evaluate(equal, values)).isTrue();
  }

  /** Two words that follow each other are equal: a node for each value of the first. */
  private static int addEquals(Bdd bdd, int width) {
    int equal = Bdd.TRUE;
    for (int i = 0; i < width; i++) {
      equal = bdd.and(equal, Bdd.not(bdd.xor(bdd.variable(i), bdd.variable(32 + i))));
    }
    return equal;
  }

  @Test
  void shouldStopAtTheLimitOfSteps() {
    Bdd small = new Bdd(VARIABLES, 0);

    assertThatExceptionOfType(BddLimitException.class)
        .isThrownBy(() -> small.ite(2, 4, 6))
        .withMessage("more than 0 steps");
  }
}
