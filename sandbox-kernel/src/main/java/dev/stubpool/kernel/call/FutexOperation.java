package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;

/**
 * What FUTEX_WAKE_OP of futex(2) does to a word, and what it asks of its former value.
 *
 * @param kind FUTEX_OP_*
 * @param operand of that
 * @param comparison FUTEX_OP_CMP_*
 * @param compared with what
 */
record FutexOperation(int kind, int operand, int comparison, int compared) {
  private static final int FUTEX_OP_SET = 0;
  private static final int FUTEX_OP_ADD = 1;
  private static final int FUTEX_OP_OR = 2;
  private static final int FUTEX_OP_ANDN = 3;
  private static final int FUTEX_OP_XOR = 4;
  private static final int FUTEX_OP_CMP_EQ = 0;
  private static final int FUTEX_OP_CMP_NE = 1;
  private static final int FUTEX_OP_CMP_LT = 2;
  private static final int FUTEX_OP_CMP_LE = 3;
  private static final int FUTEX_OP_CMP_GT = 4;
  private static final int FUTEX_OP_CMP_GE = 5;
  private static final int OPERAND_IS_SHIFT = 8;

  /**
   * What a word encodes.
   *
   * @throws ErrnoException ENOSYS if it is nothing known
   */
  static FutexOperation of(int word) {
    int kind = word >>> 28;
    int comparison = (word >>> 24) & 0xf;
    int operand = (word << 8) >> 20; // 12 bits with their sign, as the other
    if ((kind & OPERAND_IS_SHIFT) != 0) {
      operand = 1 << operand;
    }
    kind &= ~OPERAND_IS_SHIFT;
    if (kind > FUTEX_OP_XOR || comparison > FUTEX_OP_CMP_GE) {
      throw new ErrnoException(Errno.ENOSYS);
    }
    return new FutexOperation(kind, operand, comparison, (word << 20) >> 20);
  }

  /** The word after it. */
  int apply(int word) {
    return switch (kind) {
      case FUTEX_OP_SET -> operand;
      case FUTEX_OP_ADD -> word + operand;
      case FUTEX_OP_OR -> word | operand;
      case FUTEX_OP_ANDN -> word & ~operand;
      case FUTEX_OP_XOR -> word ^ operand;
      default -> throw new IllegalStateException("operation " + kind);
    };
  }

  /** Whether the word before it was as it asks. */
  boolean compare(int word) {
    return switch (comparison) {
      case FUTEX_OP_CMP_EQ -> word == compared;
      case FUTEX_OP_CMP_NE -> word != compared;
      case FUTEX_OP_CMP_LT -> word < compared;
      case FUTEX_OP_CMP_LE -> word <= compared;
      case FUTEX_OP_CMP_GT -> word > compared;
      case FUTEX_OP_CMP_GE -> word >= compared;
      default -> throw new IllegalStateException("comparison " + comparison);
    };
  }
}
