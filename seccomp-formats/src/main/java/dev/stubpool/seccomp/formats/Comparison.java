package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;

/**
 * A test of one argument as libseccomp has them: {@code struct scmp_arg_cmp} of
 * seccomp_rule_add(3).
 *
 * @param argument which argument, 0 to 5
 * @param operator how to compare
 * @param mask the bits that count, for {@link Operator#MASKED_EQ}; else all
 * @param value with what, unsigned; bits outside the mask are dropped
 */
record Comparison(int argument, Operator operator, long mask, long value) {
  private static final long LOW_HALF = 0xffff_ffffL;

  /** In the names of {@code enum scmp_compare} without their prefix. */
  enum Operator {
    NE,
    LT,
    LE,
    EQ,
    GE,
    GT,
    MASKED_EQ
  }

  Comparison {
    if (operator != Operator.MASKED_EQ) {
      mask = -1;
    }
    value &= mask;
  }

  static Comparison of(int argument, Operator operator, long value) {
    return new Comparison(argument, operator, -1, value);
  }

  static Comparison masked(int argument, long mask, long value) {
    return new Comparison(argument, Operator.MASKED_EQ, mask, value);
  }

  /**
   * Whether libseccomp looks at the low half of arguments only: where pointers have 32 bits, on x32
   * and n32, too.
   */
  static boolean lowHalfOnly(Architecture architecture) {
    return architecture.bits() == Integer.SIZE
        || architecture == Architecture.X32
        || architecture == Architecture.MIPSEL64N32;
  }

  /** What is left of the comparison where only the low half counts. */
  Comparison lowHalf() {
    return new Comparison(argument, operator, mask & LOW_HALF, value & LOW_HALF);
  }

  /** Whether it holds for every value, because no bit counts. */
  boolean alwaysHolds() {
    return mask == 0;
  }

  /** The comparison as a condition on all bits, or on the low half. */
  Condition condition(boolean lowHalf) {
    Condition.Subject subject = Condition.argument(argument);
    if (lowHalf) {
      subject = subject.low32();
    }
    return switch (operator) {
      case NE -> subject.notEqualTo(value);
      case LT -> subject.lessThan(value);
      case LE -> subject.lessOrEqual(value);
      case EQ -> subject.equalTo(value);
      case GE -> subject.greaterOrEqual(value);
      case GT -> subject.greaterThan(value);
      case MASKED_EQ -> subject.maskedEqualTo(lowHalf ? mask & LOW_HALF : mask, value);
    };
  }
}
