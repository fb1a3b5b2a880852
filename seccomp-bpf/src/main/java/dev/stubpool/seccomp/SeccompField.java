package dev.stubpool.seccomp;

import java.util.Objects;

/** The 64-bit fields of {@code struct seccomp_data} that conditions can test. */
public enum SeccompField {
  /** The address after the system call instruction. */
  INSTRUCTION_POINTER(8),
  /** The first argument. */
  ARGUMENT_0(16),
  /** The second argument. */
  ARGUMENT_1(24),
  /** The third argument. */
  ARGUMENT_2(32),
  /** The fourth argument. */
  ARGUMENT_3(40),
  /** The fifth argument. */
  ARGUMENT_4(48),
  /** The sixth argument. */
  ARGUMENT_5(56);

  private static final SeccompField[] ARGUMENTS = {
    ARGUMENT_0, ARGUMENT_1, ARGUMENT_2, ARGUMENT_3, ARGUMENT_4, ARGUMENT_5
  };

  private final int offset;

  SeccompField(int offset) {
    this.offset = offset;
  }

  /**
   * The field of an argument.
   *
   * @param index which argument, 0 to 5
   * @return the field
   * @throws IndexOutOfBoundsException if there is no such argument
   */
  public static SeccompField argument(int index) {
    return ARGUMENTS[Objects.checkIndex(index, ARGUMENTS.length)];
  }

  /**
   * The offset of the low word.
   *
   * @return the offset in {@code struct seccomp_data} in bytes (little-endian)
   */
  public int lowOffset() {
    return offset;
  }

  /**
   * The offset of the high word.
   *
   * @return the offset in {@code struct seccomp_data} in bytes (little-endian)
   */
  public int highOffset() {
    return offset + Integer.BYTES;
  }
}
