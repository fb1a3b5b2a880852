package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Condition;

/** What a decision looks at: one variable of the function that a policy is. */
sealed interface Operand {

  /**
   * The greatest value, an unsigned 32-bit number.
   *
   * @return as a long
   */
  long max();

  /**
   * Some bits of a word of {@code struct seccomp_data}.
   *
   * @param offset where the word lies, in bytes
   * @param mask the bits that count; the others are taken as 0
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
   * Whether a byte range lies outside: 1 if so, else 0. A sum with carry, no comparison of words.
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
