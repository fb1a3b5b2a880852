package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;

/**
 * The operation of FUTEX_WAKE_OP, futex(2): a change of a word, and a comparison of its former
 * value.
 *
 * @param kind the change, FUTEX_OP_*
 * @param operand the operand of the change
 * @param comparison the comparison, FUTEX_OP_CMP_*
 * @param compared the operand of the comparison
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
   * Decodes an operation.
   *
   * @throws ErrnoException ENOSYS if it is unknown
   */
  static FutexOperation of(int word) {
    int kind = word >>> 28;
    int comparison = (word >>> 24) & 0xf;
    int operand = (word << 8) >> 20; // 12 bits, signed, like the other one
    if ((kind & OPERAND_IS_SHIFT) != 0) {
      operand = 1 << operand;
    }
    kind &= ~OPERAND_IS_SHIFT;
    if (kind > FUTEX_OP_XOR || comparison > FUTEX_OP_CMP_GE) {
      throw new ErrnoException(Errno.ENOSYS);
    }
    return new FutexOperation(kind, operand, comparison, (word << 20) >> 20);
  }

  /** The changed word. */
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

  /** Whether the comparison holds for the former value. */
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
