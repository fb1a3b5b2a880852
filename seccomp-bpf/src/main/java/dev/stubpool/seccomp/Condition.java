package dev.stubpool.seccomp;

import java.util.List;
import java.util.stream.LongStream;

/**
 * A test on the arguments or the instruction pointer of a system call; a value.
 *
 * <p>Made by {@link #argument}, {@link #instructionPointer} and the other factories here. All
 * comparisons are unsigned and 64 bits wide. The kernel truncates many arguments to 32 bits without
 * a filter seeing it, so whether the high half matters depends on the system call and its argument:
 * where it is ignored use {@link Subject#equalTo32}.
 */
public sealed interface Condition {

  /**
   * The meaning of the condition.
   *
   * @param data a system call
   * @return whether it holds
   */
  boolean matches(SeccompData data);

  /**
   * Begins a condition on an argument.
   *
   * @param index which argument, 0 to 5
   * @return what to compare
   * @throws IndexOutOfBoundsException if there is no such argument
   */
  static Subject argument(int index) {
    return new Subject(SeccompField.argument(index));
  }

  /**
   * Begins a condition on the address behind the system call instruction.
   *
   * @return what to compare
   */
  static Subject instructionPointer() {
    return new Subject(SeccompField.INSTRUCTION_POINTER);
  }

  /**
   * The address behind the system call instruction lies in a range.
   *
   * @param lo the first address
   * @param hiExclusive the address behind the last one
   * @return the condition
   * @throws IllegalArgumentException if the range is empty, unsigned
   */
  static Condition instructionPointerIn(long lo, long hiExclusive) {
    requireRange(lo, hiExclusive);
    return instructionPointer().inRange(lo, hiExclusive - 1);
  }

  /**
   * A byte range that two arguments give lies entirely outside another one; see {@link
   * RangeOutside}.
   *
   * @param addressArgument which argument is the address, 0 to 5
   * @param lengthArgument which argument is the length in bytes, 0 to 5
   * @param lo the first address of the forbidden range
   * @param hiExclusive the address behind its last one
   * @return the condition
   * @throws IndexOutOfBoundsException if there is no such argument
   * @throws IllegalArgumentException if the forbidden range is empty, unsigned
   */
  static Condition rangeOutside(
      int addressArgument, int lengthArgument, long lo, long hiExclusive) {
    return new RangeOutside(
        SeccompField.argument(addressArgument),
        SeccompField.argument(lengthArgument),
        lo,
        hiExclusive);
  }

  private static void requireRange(long lo, long hiExclusive) {
    if (Long.compareUnsigned(lo, hiExclusive) >= 0) {
      throw new IllegalArgumentException(
          "empty range: 0x%x to 0x%x (exclusive)".formatted(lo, hiExclusive));
    }
  }

  /** How {@link Compare} compares, unsigned. */
  enum Comparison {
    /** Equal. */
    EQUAL,
    /** Not equal. */
    NOT_EQUAL,
    /** Less. */
    LESS,
    /** Less or equal. */
    LESS_OR_EQUAL,
    /** Greater. */
    GREATER,
    /** Greater or equal. */
    GREATER_OR_EQUAL
  }

  /**
   * What a condition is about.
   *
   * @param field the field
   */
  record Subject(SeccompField field) {

    /**
     * All 64 bits are equal.
     *
     * @param value the value
     * @return the condition
     */
    public Condition equalTo(long value) {
      return new Compare(field, Comparison.EQUAL, value);
    }

    /**
     * Any of the 64 bits differs.
     *
     * @param value the value
     * @return the condition
     */
    public Condition notEqualTo(long value) {
      return new Compare(field, Comparison.NOT_EQUAL, value);
    }

    /**
     * Less, unsigned.
     *
     * @param value the value; nothing is less than 0
     * @return the condition
     */
    public Condition lessThan(long value) {
      return new Compare(field, Comparison.LESS, value);
    }

    /**
     * Less or equal, unsigned.
     *
     * @param value the value
     * @return the condition
     */
    public Condition lessOrEqual(long value) {
      return new Compare(field, Comparison.LESS_OR_EQUAL, value);
    }

    /**
     * Greater, unsigned.
     *
     * @param value the value; nothing is greater than -1
     * @return the condition
     */
    public Condition greaterThan(long value) {
      return new Compare(field, Comparison.GREATER, value);
    }

    /**
     * Greater or equal, unsigned.
     *
     * @param value the value
     * @return the condition
     */
    public Condition greaterOrEqual(long value) {
      return new Compare(field, Comparison.GREATER_OR_EQUAL, value);
    }

    /**
     * The bits under a mask are equal.
     *
     * @param mask the bits that count
     * @param value what they are
     * @return the condition
     * @throws IllegalArgumentException if the value has a bit outside the mask: it could never
     *     match
     */
    public Condition maskedEqualTo(long mask, long value) {
      return new MaskedEqual(field, mask, value);
    }

    /**
     * No bit outside a mask is set.
     *
     * @param mask the bits that may be set
     * @return the condition
     */
    public Condition onlyBits(long mask) {
      return new MaskedEqual(field, ~mask, 0);
    }

    /**
     * The low half is equal; the high half does not count. For what the kernel truncates to {@code
     * int}.
     *
     * @param value the value
     * @return the condition
     */
    public Condition equalTo32(int value) {
      return new MaskedEqual(field, 0xffff_ffffL, Integer.toUnsignedLong(value));
    }

    /**
     * Equal to one of several values, in all 64 bits.
     *
     * @param values the values, at least one
     * @return the condition
     * @throws IllegalArgumentException if there is no value
     */
    public Condition anyOf(long... values) {
      return new AnyOf(field, LongStream.of(values).boxed().toList());
    }

    /**
     * In a range, unsigned.
     *
     * @param lo the least value
     * @param hi the greatest value, itself included
     * @return the condition
     * @throws IllegalArgumentException if {@code lo} is greater than {@code hi}
     */
    public Condition inRange(long lo, long hi) {
      return new InRange(field, lo, hi);
    }
  }

  /**
   * Comparison with a constant, unsigned.
   *
   * @param field what is compared
   * @param comparison how
   * @param value with what
   */
  record Compare(SeccompField field, Comparison comparison, long value) implements Condition {

    @Override
    public boolean matches(SeccompData data) {
      int order = Long.compareUnsigned(data.value(field), value);
      return switch (comparison) {
        case EQUAL -> order == 0;
        case NOT_EQUAL -> order != 0;
        case LESS -> order < 0;
        case LESS_OR_EQUAL -> order <= 0;
        case GREATER -> order > 0;
        case GREATER_OR_EQUAL -> order >= 0;
      };
    }
  }

  /**
   * Some bits have given values.
   *
   * @param field what is compared
   * @param mask the bits that count
   * @param value what they are
   */
  record MaskedEqual(SeccompField field, long mask, long value) implements Condition {

    /**
     * Checks the value.
     *
     * @throws IllegalArgumentException if the value has a bit outside the mask: it could never
     *     match
     */
    public MaskedEqual {
      if ((value & ~mask) != 0) {
        throw new IllegalArgumentException(
            "value 0x%x has bits outside the mask 0x%x and could never match"
                .formatted(value, mask));
      }
    }

    @Override
    public boolean matches(SeccompData data) {
      return (data.value(field) & mask) == value;
    }
  }

  /**
   * Between two constants, unsigned.
   *
   * @param field what is compared
   * @param lo the least value
   * @param hi the greatest value, itself included
   */
  record InRange(SeccompField field, long lo, long hi) implements Condition {

    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if {@code lo} is greater than {@code hi}
     */
    public InRange {
      if (Long.compareUnsigned(lo, hi) > 0) {
        throw new IllegalArgumentException("empty range: 0x%x to 0x%x".formatted(lo, hi));
      }
    }

    @Override
    public boolean matches(SeccompData data) {
      long value = data.value(field);
      return Long.compareUnsigned(value, lo) >= 0 && Long.compareUnsigned(value, hi) <= 0;
    }
  }

  /**
   * One of several constants.
   *
   * @param field what is compared
   * @param values with what: at least one; sorted, unsigned, and without duplicates once here
   */
  record AnyOf(SeccompField field, List<Long> values) implements Condition {

    /**
     * Copies and sorts the values.
     *
     * @throws IllegalArgumentException if there is no value
     */
    public AnyOf {
      if (values.isEmpty()) {
        throw new IllegalArgumentException("no value: could never match");
      }
      values = values.stream().sorted(Long::compareUnsigned).distinct().toList();
    }

    @Override
    public boolean matches(SeccompData data) {
      return values.contains(data.value(field));
    }
  }

  /**
   * The byte range [address, address + length) does not wrap and lies outside [lo, hi): it ends at
   * {@code lo} or below, or begins at {@code hi} or above.
   *
   * <p>{@code address + length} is computed in 64 bits. If that carries, the condition does not
   * hold, also where the sum is exactly 2^64. A length of 0 is no exception: the condition does not
   * hold for an empty range at an address strictly between {@code lo} and {@code hi}, although it
   * touches nothing.
   *
   * <p>This is enough for mmap with a fixed address, munmap and mprotect, which round the length up
   * to whole pages, provided that {@code lo} and {@code hi} are page aligned. Proof, in whole
   * numbers, with {@code up(n)} for n rounded up to pages: the kernel refuses an address that is
   * not page aligned, so let it be. What is touched ends at {@code address + up(length)}, which is
   * {@code up(address + length)}.
   *
   * <ul>
   *   <li>If {@code address + length <= lo}, then {@code up(address + length) <= up(lo) = lo}:
   *       still below.
   *   <li>If {@code address >= hi}, rounding up the end cannot reach below the address. It may make
   *       the end 2^64, never more, because {@code address + length < 2^64}.
   *   <li>The kernel's rounding wraps to 0 only if {@code length > 2^64 - page}. Without a carry,
   *       {@code address < page} then, so it is 0, and neither {@code address >= hi} (hi is not 0)
   *       nor {@code length <= lo} (lo is at most {@code 2^64 - page}) is possible: such a length
   *       never matches.
   * </ul>
   *
   * @param address the argument that holds the address
   * @param length the argument that holds the length in bytes
   * @param lo the first address of the forbidden range
   * @param hiExclusive the address behind its last one
   */
  record RangeOutside(SeccompField address, SeccompField length, long lo, long hiExclusive)
      implements Condition {

    /**
     * Checks the forbidden range.
     *
     * @throws IllegalArgumentException if it is empty, unsigned
     */
    public RangeOutside {
      requireRange(lo, hiExclusive);
    }

    @Override
    public boolean matches(SeccompData data) {
      long start = data.value(address);
      long end = start + data.value(length);
      boolean carries = Long.compareUnsigned(end, start) < 0;
      return !carries
          && (Long.compareUnsigned(end, lo) <= 0 || Long.compareUnsigned(start, hiExclusive) >= 0);
    }
  }
}
