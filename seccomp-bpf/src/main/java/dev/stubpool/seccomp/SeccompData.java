package dev.stubpool.seccomp;

import java.util.Arrays;

/**
 * A filter's input, {@code struct seccomp_data} of {@code linux/seccomp.h}: what it sees of a
 * system call, in {@value #SIZE} bytes.
 *
 * @param nr the system call number
 * @param arch the architecture as an AUDIT_ARCH value; see {@link Architecture#auditValue}
 * @param instructionPointer the address after the system call instruction
 * @param a0 the first argument
 * @param a1 the second argument
 * @param a2 the third argument
 * @param a3 the fourth argument
 * @param a4 the fifth argument
 * @param a5 the sixth argument
 */
public record SeccompData(
    int nr,
    int arch,
    long instructionPointer,
    long a0,
    long a1,
    long a2,
    long a3,
    long a4,
    long a5) {

  /** The size of the structure in bytes. */
  public static final int SIZE = 64;

  /** The offset of {@code nr}, in bytes. */
  public static final int NR_OFFSET = 0;

  /** The offset of {@code arch}, in bytes. */
  public static final int ARCH_OFFSET = 4;

  /** The number of arguments. */
  public static final int ARGUMENTS = 6;

  /**
   * Creates the data of a system call with up to six arguments.
   *
   * @param architecture the architecture of the call
   * @param nr the system call number
   * @param instructionPointer the address after the system call instruction
   * @param arguments the first arguments; the others are 0
   * @return the data
   * @throws IllegalArgumentException if there are more than six arguments
   */
  public static SeccompData of(
      Architecture architecture, int nr, long instructionPointer, long... arguments) {
    if (arguments.length > ARGUMENTS) {
      throw new IllegalArgumentException(
          "a system call has at most " + ARGUMENTS + " arguments: " + arguments.length);
    }
    long[] all = Arrays.copyOf(arguments, ARGUMENTS);
    return new SeccompData(
        nr,
        architecture.auditValue(),
        instructionPointer,
        all[0],
        all[1],
        all[2],
        all[3],
        all[4],
        all[5]);
  }

  /**
   * The value of an argument.
   *
   * @param index which argument, 0 to 5
   * @return its value
   * @throws IndexOutOfBoundsException if there is no such argument
   */
  public long argument(int index) {
    return value(SeccompField.argument(index));
  }

  /**
   * The value of a field.
   *
   * @param field the field
   * @return its value
   */
  public long value(SeccompField field) {
    return switch (field) {
      case INSTRUCTION_POINTER -> instructionPointer;
      case ARGUMENT_0 -> a0;
      case ARGUMENT_1 -> a1;
      case ARGUMENT_2 -> a2;
      case ARGUMENT_3 -> a3;
      case ARGUMENT_4 -> a4;
      case ARGUMENT_5 -> a5;
    };
  }

  /**
   * The 32-bit word that a filter loads from an offset.
   *
   * @param offset the offset in bytes, a multiple of 4 from 0 to 60
   * @return the word
   * @throws IllegalArgumentException if no word lies there
   */
  public int word(int offset) {
    return switch (offset) {
      case 0 -> nr;
      case 4 -> arch;
      case 8 -> (int) instructionPointer;
      case 12 -> high(instructionPointer);
      case 16 -> (int) a0;
      case 20 -> high(a0);
      case 24 -> (int) a1;
      case 28 -> high(a1);
      case 32 -> (int) a2;
      case 36 -> high(a2);
      case 40 -> (int) a3;
      case 44 -> high(a3);
      case 48 -> (int) a4;
      case 52 -> high(a4);
      case 56 -> (int) a5;
      case 60 -> high(a5);
      default -> throw new IllegalArgumentException("no word lies at offset " + offset);
    };
  }

  private static int high(long value) {
    return (int) (value >>> Integer.SIZE);
  }
}
