package dev.stubpool.seccomp;

import java.util.List;
import java.util.stream.LongStream;

/**
 * A predicate on the arguments or the instruction pointer of a system call; an immutable value.
 *
 * <p>Conditions are created by {@link #argument}, {@link #instructionPointer} and the other
 * factories of this interface. Comparisons are unsigned unless their name says otherwise, and look
 * at all 64 bits unless {@link Subject#low32} is used. The kernel truncates many arguments to 32
 * bits after the filter has run, so which width is right depends on the system call and its
 * argument.
 */
public sealed interface Condition {

  /** The bits of a low half. */
  long LOW_HALF = 0xffff_ffffL;

  /**
   * Evaluates the condition.
   *
   * @param data a system call
   * @return whether it holds
   */
  boolean matches(SeccompData data);

  /**
   * Starts a condition on an argument.
   *
   * @param index which argument, 0 to 5
   * @return what to compare
   * @throws IndexOutOfBoundsException if there is no such argument
   */
  static Subject argument(int index) {
    return new Subject(SeccompField.argument(index), Width.BITS_64);
  }

  /**
   * Starts a condition on the instruction pointer, the address after the system call instruction.
   *
   * @return what to compare
   */
  static Subject instructionPointer() {
    return new Subject(SeccompField.INSTRUCTION_POINTER, Width.BITS_64);
  }

  /**
   * Holds if the address after the system call instruction lies in a range.
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
   * Holds if the byte range given by two arguments lies entirely outside a forbidden range; see
   * {@link RangeOutside}.
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

  /**
   * Holds if all of the conditions hold.
   *
   * @param conditions the conditions; without any, the result always holds
   * @return the condition
   */
  static Condition all(Condition... conditions) {
    return new All(List.of(conditions));
  }

  /**
   * Holds if at least one of the conditions holds.
   *
   * @param conditions the conditions, at least one
   * @return the condition
   * @throws IllegalArgumentException if there is no condition, as the result could never hold
   */
  static Condition any(Condition... conditions) {
    return new Any(List.of(conditions));
  }

  /**
   * Negates a condition.
   *
   * @param condition the condition
   * @return the condition
   */
  static Condition not(Condition condition) {
    return new Not(condition);
  }

  private static void requireRange(long lo, long hiExclusive) {
    if (Long.compareUnsigned(lo, hiExclusive) >= 0) {
      throw new IllegalArgumentException(
          "empty range: 0x%x to 0x%x (exclusive)".formatted(lo, hiExclusive));
    }
  }

  /** How many bits of a field are compared. */
  enum Width {
    /**
     * The low half, for arguments that the kernel truncates to {@code int} or {@code unsigned int}.
     */
    BITS_32,
    /** The whole field. */
    BITS_64
  }

  /** The comparison that {@link Compare} makes. */
  enum Comparison {
    /** Equal. */
    EQUAL,
    /** Not equal. */
    NOT_EQUAL,
    /** Less, unsigned. */
    LESS,
    /** Less or equal, unsigned. */
    LESS_OR_EQUAL,
    /** Greater, unsigned. */
    GREATER,
    /** Greater or equal, unsigned. */
    GREATER_OR_EQUAL,
    /** Less, signed. */
    SIGNED_LESS,
    /** Less or equal, signed. */
    SIGNED_LESS_OR_EQUAL,
    /** Greater, signed. */
    SIGNED_GREATER,
    /** Greater or equal, signed. */
    SIGNED_GREATER_OR_EQUAL
  }

  /**
   * The left operand of a comparison.
   *
   * @param field the field of the system call's data
   * @param width how many of its bits are compared
   */
  record Subject(SeccompField field, Width width) {

    /**
     * The low half of the same field. Constants that it is compared with may be given signed or
     * unsigned: -1 and 0xffffffff are the same.
     *
     * @return what to compare
     */
    public Subject low32() {
      return new Subject(field, Width.BITS_32);
    }

    /**
     * The operand's value for a system call.
     *
     * @param data a system call
     * @return the field, or its low half zero-extended if only that is compared
     */
    public long value(SeccompData data) {
      return truncate(data.value(field));
    }

    /** Truncates a value that {@link #fit} has checked to this subject's width. */
    private long truncate(long value) {
      return width == Width.BITS_64 ? value : value & LOW_HALF;
    }

    /** Checks a constant and zero-extends it; a 32-bit constant may be given signed or unsigned. */
    private long fit(long value) {
      if (width == Width.BITS_32 && value != (int) value && value != (value & LOW_HALF)) {
        throw new IllegalArgumentException("0x%x does not fit into 32 bits".formatted(value));
      }
      return truncate(value);
    }

    private int compareSigned(long left, long right) {
      return width == Width.BITS_64
          ? Long.compare(left, right)
          : Integer.compare((int) left, (int) right);
    }

    /**
     * Equal.
     *
     * @param value the value
     * @return the condition
     */
    public Condition equalTo(long value) {
      return new Compare(this, Comparison.EQUAL, value);
    }

    /**
     * Not equal.
     *
     * @param value the value
     * @return the condition
     */
    public Condition notEqualTo(long value) {
      return new Compare(this, Comparison.NOT_EQUAL, value);
    }

    /**
     * Less, unsigned.
     *
     * @param value the value; nothing is less than 0
     * @return the condition
     */
    public Condition lessThan(long value) {
      return new Compare(this, Comparison.LESS, value);
    }

    /**
     * Less or equal, unsigned.
     *
     * @param value the value
     * @return the condition
     */
    public Condition lessOrEqual(long value) {
      return new Compare(this, Comparison.LESS_OR_EQUAL, value);
    }

    /**
     * Greater, unsigned.
     *
     * @param value the value; nothing is greater than -1
     * @return the condition
     */
    public Condition greaterThan(long value) {
      return new Compare(this, Comparison.GREATER, value);
    }

    /**
     * Greater or equal, unsigned.
     *
     * @param value the value
     * @return the condition
     */
    public Condition greaterOrEqual(long value) {
      return new Compare(this, Comparison.GREATER_OR_EQUAL, value);
    }

    /**
     * The masked bits have given values.
     *
     * @param mask the bits that count
     * @param value their values
     * @return the condition
     * @throws IllegalArgumentException if the value has a bit outside the mask, as the condition
     *     could never hold
     */
    public Condition maskedEqualTo(long mask, long value) {
      return new MaskedEqual(this, mask, value);
    }

    /**
     * No bit outside a mask is set.
     *
     * @param mask the bits that may be set
     * @return the condition
     */
    public Condition onlyBits(long mask) {
      return new MaskedEqual(this, truncate(~fit(mask)), 0);
    }

    /**
     * Less, signed.
     *
     * @param value the value
     * @return the condition
     */
    public Condition lessThanSigned(long value) {
      return new Compare(this, Comparison.SIGNED_LESS, value);
    }

    /**
     * Less or equal, signed.
     *
     * @param value the value
     * @return the condition
     */
    public Condition lessOrEqualSigned(long value) {
      return new Compare(this, Comparison.SIGNED_LESS_OR_EQUAL, value);
    }

    /**
     * Greater, signed.
     *
     * @param value the value
     * @return the condition
     */
    public Condition greaterThanSigned(long value) {
      return new Compare(this, Comparison.SIGNED_GREATER, value);
    }

    /**
     * Greater or equal, signed.
     *
     * @param value the value
     * @return the condition
     */
    public Condition greaterOrEqualSigned(long value) {
      return new Compare(this, Comparison.SIGNED_GREATER_OR_EQUAL, value);
    }

    /**
     * May be a file descriptor: the low half, as an {@code int}, is not negative. The kernel
     * ignores the high half of a descriptor.
     *
     * @return the condition
     */
    public Condition nonNegativeDescriptor() {
      return low32().greaterOrEqualSigned(0);
    }

    /**
     * Equal to one of several values.
     *
     * @param values the values, at least one
     * @return the condition
     * @throws IllegalArgumentException if there is no value
     */
    public Condition anyOf(long... values) {
      return new AnyOf(this, LongStream.of(values).boxed().toList());
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
      return new InRange(this, lo, hi);
    }
  }

  /**
   * Comparison with a constant.
   *
   * @param subject the left operand
   * @param comparison the comparison
   * @param value the constant; the constructor zero-extends it if 32 bits are compared
   */
  record Compare(Subject subject, Comparison comparison, long value) implements Condition {

    /**
     * Fits the value to the subject.
     *
     * @throws IllegalArgumentException if it does not fit into the bits that are compared
     */
    public Compare {
      value = subject.fit(value);
    }

    @Override
    public boolean matches(SeccompData data) {
      long left = subject.value(data);
      int order = Long.compareUnsigned(left, value);
      int signed = subject.compareSigned(left, value);
      return switch (comparison) {
        case EQUAL -> order == 0;
        case NOT_EQUAL -> order != 0;
        case LESS -> order < 0;
        case LESS_OR_EQUAL -> order <= 0;
        case GREATER -> order > 0;
        case GREATER_OR_EQUAL -> order >= 0;
        case SIGNED_LESS -> signed < 0;
        case SIGNED_LESS_OR_EQUAL -> signed <= 0;
        case SIGNED_GREATER -> signed > 0;
        case SIGNED_GREATER_OR_EQUAL -> signed >= 0;
      };
    }
  }

  /**
   * Some bits have given values.
   *
   * @param subject the left operand
   * @param mask the bits that are compared
   * @param value their values
   */
  record MaskedEqual(Subject subject, long mask, long value) implements Condition {

    /**
     * Fits mask and value to the subject.
     *
     * @throws IllegalArgumentException if one does not fit, or the value has a bit outside the
     *     mask, as the condition could never hold
     */
    public MaskedEqual {
      mask = subject.fit(mask);
      value = subject.fit(value);
      if ((value & ~mask) != 0) {
        throw new IllegalArgumentException(
            "value 0x%x has bits outside the mask 0x%x and could never match"
                .formatted(value, mask));
      }
    }

    @Override
    public boolean matches(SeccompData data) {
      return (subject.value(data) & mask) == value;
    }
  }

  /**
   * Between two constants, unsigned.
   *
   * @param subject the operand
   * @param lo the least value
   * @param hi the greatest value, itself included
   */
  record InRange(Subject subject, long lo, long hi) implements Condition {

    /**
     * Fits and checks the range.
     *
     * @throws IllegalArgumentException if {@code lo} is greater than {@code hi}, or one does not
     *     fit
     */
    public InRange {
      lo = subject.fit(lo);
      hi = subject.fit(hi);
      if (Long.compareUnsigned(lo, hi) > 0) {
        throw new IllegalArgumentException("empty range: 0x%x to 0x%x".formatted(lo, hi));
      }
    }

    @Override
    public boolean matches(SeccompData data) {
      long value = subject.value(data);
      return Long.compareUnsigned(value, lo) >= 0 && Long.compareUnsigned(value, hi) <= 0;
    }
  }

  /**
   * Equal to one of several constants.
   *
   * @param subject the left operand
   * @param values the constants, at least one; the constructor sorts them as unsigned and drops
   *     duplicates
   */
  record AnyOf(Subject subject, List<Long> values) implements Condition {

    /**
     * Copies, fits and sorts the values.
     *
     * @throws IllegalArgumentException if there is no value, or one does not fit
     */
    public AnyOf {
      if (values.isEmpty()) {
        throw new IllegalArgumentException("no value: could never match");
      }
      values = values.stream().map(subject::fit).sorted(Long::compareUnsigned).distinct().toList();
    }

    @Override
    public boolean matches(SeccompData data) {
      return values.contains(subject.value(data));
    }
  }

  /**
   * All conditions of a list hold.
   *
   * @param conditions the list; if it is empty, the condition always holds
   */
  record All(List<Condition> conditions) implements Condition {

    /** Copies the list. */
    public All {
      conditions = List.copyOf(conditions);
    }

    @Override
    public boolean matches(SeccompData data) {
      return conditions.stream().allMatch(condition -> condition.matches(data));
    }
  }

  /**
   * At least one condition of a list holds.
   *
   * @param conditions the list, not empty
   */
  record Any(List<Condition> conditions) implements Condition {

    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if it is empty, as the condition could never hold
     */
    public Any {
      if (conditions.isEmpty()) {
        throw new IllegalArgumentException("no condition: could never match");
      }
      conditions = List.copyOf(conditions);
    }

    @Override
    public boolean matches(SeccompData data) {
      return conditions.stream().anyMatch(condition -> condition.matches(data));
    }
  }

  /**
   * Negates a condition.
   *
   * @param condition the condition
   */
  record Not(Condition condition) implements Condition {

    @Override
    public boolean matches(SeccompData data) {
      return !condition.matches(data);
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
