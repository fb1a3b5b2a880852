package dev.stubpool.seccomp.proof;

/**
 * Arithmetic on words whose bits are Boolean functions. A word is an array, bit 0 first. Both words
 * of an operation and the result have the same length; a carry out of the highest bit is dropped.
 */
final class BitVectors {

  private final Bdd bdd;

  BitVectors(Bdd bdd) {
    this.bdd = bdd;
  }

  static int[] constant(long value, int width) {
    int[] bits = new int[width];
    for (int i = 0; i < width; i++) {
      bits[i] = constant((value >>> i & 1) != 0);
    }
    return bits;
  }

  static int constant(boolean value) {
    return value ? Bdd.TRUE : Bdd.FALSE;
  }

  int[] and(int[] a, int[] b) {
    int[] result = new int[a.length];
    for (int i = 0; i < a.length; i++) {
      result[i] = bdd.and(a[i], b[i]);
    }
    return result;
  }

  int[] or(int[] a, int[] b) {
    int[] result = new int[a.length];
    for (int i = 0; i < a.length; i++) {
      result[i] = bdd.or(a[i], b[i]);
    }
    return result;
  }

  int[] xor(int[] a, int[] b) {
    int[] result = new int[a.length];
    for (int i = 0; i < a.length; i++) {
      result[i] = bdd.xor(a[i], b[i]);
    }
    return result;
  }

  int[] not(int[] a) {
    int[] result = new int[a.length];
    for (int i = 0; i < a.length; i++) {
      result[i] = Bdd.not(a[i]);
    }
    return result;
  }

  /** {@code a} where the condition holds, else {@code b}. */
  int[] choose(int condition, int[] a, int[] b) {
    int[] result = new int[a.length];
    for (int i = 0; i < a.length; i++) {
      result[i] = bdd.ite(condition, a[i], b[i]);
    }
    return result;
  }

  int[] add(int[] a, int[] b) {
    return add(a, b, Bdd.FALSE);
  }

  int[] subtract(int[] a, int[] b) {
    return add(a, not(b), Bdd.TRUE);
  }

  int[] negate(int[] a) {
    return subtract(constant(0, a.length), a);
  }

  private int[] add(int[] a, int[] b, int carry) {
    int[] sum = new int[a.length];
    for (int i = 0; i < a.length; i++) {
      int differ = bdd.xor(a[i], b[i]);
      sum[i] = bdd.xor(differ, carry);
      carry = bdd.ite(differ, carry, a[i]);
    }
    return sum;
  }

  int[] multiply(int[] a, int[] b) {
    // The one with more known bits selects: a known 0 saves an addition.
    boolean aSelects = knownBits(a) > knownBits(b);
    int[] selectors = aSelects ? a : b;
    int[] other = aSelects ? b : a;
    int[] product = constant(0, a.length);
    for (int i = 0; i < a.length; i++) {
      if (selectors[i] != Bdd.FALSE) {
        int[] partial = shiftLeft(other, i);
        for (int j = i; j < a.length; j++) {
          partial[j] = bdd.and(selectors[i], partial[j]);
        }
        product = add(product, partial);
      }
    }
    return product;
  }

  private static int knownBits(int[] a) {
    int known = 0;
    for (int bit : a) {
      known += bit >> 1 == 0 ? 1 : 0;
    }
    return known;
  }

  /** The unsigned quotient; where the divisor is 0, all ones. */
  int[] divide(int[] a, int[] divisor) {
    int width = a.length;
    int[] quotient = new int[width];
    // One bit more than a word, because the remainder is doubled in each step.
    int[] wide = extend(divisor);
    int[] remainder = constant(0, width + 1);
    for (int i = width - 1; i >= 0; i--) {
      remainder = shiftLeft(remainder, 1);
      remainder[0] = a[i];
      int fits = greaterOrEqual(remainder, wide);
      quotient[i] = fits;
      remainder = choose(fits, subtract(remainder, wide), remainder);
    }
    return quotient;
  }

  private static int[] extend(int[] a) {
    int[] wide = constant(0, a.length + 1);
    System.arraycopy(a, 0, wide, 0, a.length);
    return wide;
  }

  int[] shiftLeft(int[] a, int by) {
    int[] result = constant(0, a.length);
    System.arraycopy(a, 0, result, by, a.length - by);
    return result;
  }

  int[] shiftRight(int[] a, int by) {
    int[] result = constant(0, a.length);
    System.arraycopy(a, by, result, 0, a.length - by);
    return result;
  }

  /** Shifts 32 bits by the low five bits of a word. */
  int[] shiftLeft(int[] a, int[] by) {
    int[] result = a;
    for (int i = 0; i < 5; i++) {
      result = choose(by[i], shiftLeft(result, 1 << i), result);
    }
    return result;
  }

  /** Shifts 32 bits by the low five bits of a word. */
  int[] shiftRight(int[] a, int[] by) {
    int[] result = a;
    for (int i = 0; i < 5; i++) {
      result = choose(by[i], shiftRight(result, 1 << i), result);
    }
    return result;
  }

  int equal(int[] a, int[] b) {
    int equal = Bdd.TRUE;
    for (int i = 0; i < a.length; i++) {
      equal = bdd.and(Bdd.not(bdd.xor(a[i], b[i])), equal);
    }
    return equal;
  }

  /** Unsigned. */
  int greater(int[] a, int[] b) {
    return above(a, b, Bdd.FALSE);
  }

  /** Unsigned. */
  int greaterOrEqual(int[] a, int[] b) {
    return above(a, b, Bdd.TRUE);
  }

  private int above(int[] a, int[] b, int ifEqual) {
    int above = ifEqual;
    for (int i = 0; i < a.length; i++) {
      above = bdd.ite(bdd.xor(a[i], b[i]), a[i], above);
    }
    return above;
  }

  /** Whether the words have a bit in common. */
  int intersect(int[] a, int[] b) {
    int common = Bdd.FALSE;
    for (int i = 0; i < a.length; i++) {
      common = bdd.or(bdd.and(a[i], b[i]), common);
    }
    return common;
  }
}
