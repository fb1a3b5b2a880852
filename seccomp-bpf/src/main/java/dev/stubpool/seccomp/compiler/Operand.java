package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Condition;

/** The operand of a decision: one variable of the function that a policy defines. */
sealed interface Operand {

  /**
   * The maximum value, an unsigned 32-bit number.
   *
   * @return the value as a long
   */
  long max();

  /**
   * Some bits of a word of {@code struct seccomp_data}.
   *
   * @param offset the word's offset in bytes
   * @param mask the bits that are used; the others are taken as 0
   */
  record Word(int offset, int mask) implements Operand {

    static final int ALL_BITS = -1;

    Word(int offset) {
      this(offset, ALL_BITS);
    }

    boolean isMasked() {
      return mask != ALL_BITS;
    }

    @Override
    public long max() {
      return Integer.toUnsignedLong(mask);
    }
  }

  /**
   * Whether a byte range lies outside another one: 1 if so, else 0. It takes a sum with carry, not
   * a comparison of words.
   *
   * @param condition the condition
   */
  record Outside(Condition.RangeOutside condition) implements Operand {

    @Override
    public long max() {
      return 1;
    }
  }
}
