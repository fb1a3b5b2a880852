package dev.stubpool.seccomp.proof;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import org.junit.jupiter.api.Test;

/** Every pair of words of four bits. */
class BitVectorsTest {

  private static final int WIDTH = 4;
  private static final int MASK = (1 << WIDTH) - 1;

  private final Bdd bdd = new Bdd(2 * WIDTH, 1_000_000);
  private final BitVectors vectors = new BitVectors(bdd);
  private final int[] a = new int[WIDTH];
  private final int[] b = new int[WIDTH];

  BitVectorsTest() {
    for (int i = 0; i < WIDTH; i++) {
      a[i] = bdd.variable(2 * i);
      b[i] = bdd.variable(2 * i + 1);
    }
  }

  private interface Operation {
    int apply(int a, int b);
  }

  private void assertComputes(int[] result, Operation operation) {
    for (int x = 0; x <= MASK; x++) {
      for (int y = 0; y <= MASK; y++) {
        BitSet values = new BitSet();
        int value = 0;
        for (int i = 0; i < WIDTH; i++) {
          values.set(2 * i, (x >>> i & 1) != 0);
          values.set(2 * i + 1, (y >>> i & 1) != 0);
        }
        for (int i = 0; i < result.length; i++) {
          value |= bdd.evaluate(result[i], values) ? 1 << i : 0;
        }
        int all = (1 << result.length) - 1;
        assertThat(value).as("of %d and %d", x, y).isEqualTo(operation.apply(x, y) & all);
      }
    }
  }

  private void assertDecides(int result, Operation operation) {
    assertComputes(new int[] {result}, operation);
  }

  @Test
  void shouldCombineBits() {
    assertComputes(vectors.and(a, b), (x, y) -> x & y);
    assertComputes(vectors.or(a, b), (x, y) -> x | y);
    assertComputes(vectors.xor(a, b), (x, y) -> x ^ y);
    assertComputes(vectors.not(a), (x, _) -> ~x);
    assertComputes(vectors.choose(a[0], a, b), (x, y) -> (x & 1) != 0 ? x : y);
  }

  @Test
  void shouldCalculate() {
    assertComputes(vectors.add(a, b), Integer::sum);
    assertComputes(vectors.subtract(a, b), (x, y) -> x - y);
    assertComputes(vectors.negate(a), (x, _) -> -x);
    assertComputes(vectors.multiply(a, b), (x, y) -> x * y);
    assertComputes(vectors.divide(a, b), (x, y) -> y == 0 ? MASK : x / y);
    for (int k = 0; k <= MASK; k++) {
      int constant = k;
      int[] bits = BitVectors.constant(k, WIDTH);
      assertComputes(vectors.add(a, bits), (x, _) -> x + constant);
      assertComputes(vectors.multiply(a, bits), (x, _) -> x * constant);
      assertComputes(vectors.multiply(bits, a), (x, _) -> x * constant);
    }
  }

  @Test
  void shouldShift() {
    for (int k = 0; k < WIDTH; k++) {
      int by = k;
      assertComputes(vectors.shiftLeft(a, k), (x, _) -> x << by);
      assertComputes(vectors.shiftRight(a, k), (x, _) -> x >>> by);
    }
  }

  @Test
  void shouldCompare() {
    assertDecides(vectors.equal(a, b), (x, y) -> x == y ? 1 : 0);
    assertDecides(vectors.greater(a, b), (x, y) -> x > y ? 1 : 0);
    assertDecides(vectors.greaterOrEqual(a, b), (x, y) -> x >= y ? 1 : 0);
    assertDecides(vectors.intersect(a, b), (x, y) -> (x & y) != 0 ? 1 : 0);
  }
}
