package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;

/**
 * A libseccomp comparison of one argument: {@code struct scmp_arg_cmp} of seccomp_rule_add(3).
 *
 * @param argument the argument, 0 to 5
 * @param operator the operator
 * @param mask the bits to compare, for {@link Operator#MASKED_EQ}; else all
 * @param value the operand, unsigned; bits outside the mask are dropped
 */
record Comparison(int argument, Operator operator, long mask, long value) {
  private static final long LOW_HALF = 0xffff_ffffL;

  /** The constants of {@code enum scmp_compare} without their prefix. */
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
   * Whether libseccomp compares only the low half of arguments: on architectures with 32-bit
   * pointers, x32 and n32 included.
   */
  static boolean lowHalfOnly(Architecture architecture) {
    return architecture.bits() == Integer.SIZE
        || architecture == Architecture.X32
        || architecture == Architecture.MIPSEL64N32;
  }

  /** The comparison restricted to the low half. */
  Comparison lowHalf() {
    return new Comparison(argument, operator, mask & LOW_HALF, value & LOW_HALF);
  }

  /** Whether it holds for every value, because the mask is empty. */
  boolean alwaysHolds() {
    return mask == 0;
  }

  /** Converts the comparison to a condition on all bits, or on the low half. */
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
