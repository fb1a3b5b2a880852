package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompField;
import dev.stubpool.seccomp.formats.Comparison.Operator;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Converts conditions to disjunctive form: alternatives, each with at most one libseccomp
 * comparison for an argument.
 *
 * <p>A condition that no single comparison expresses becomes several alternatives: a range bounded
 * on both sides, for example, becomes aligned blocks, each a MASKED_EQ.
 */
final class Alternatives {

  /**
   * The limit for alternatives: a filter with more comparisons would be too long for the kernel.
   */
  private static final int MAX = 4096;

  private static final long LOW_HALF = 0xffff_ffffL;

  /** The bits of an argument that are compared: 32 or 64. */
  private final int bits;

  /**
   * @param lowHalf whether the high half of arguments is ignored
   */
  Alternatives(boolean lowHalf) {
    bits = lowHalf ? Integer.SIZE : Long.SIZE;
  }

  /**
   * Converts a condition.
   *
   * @return the alternatives, each with its comparisons by argument; an empty map always holds, an
   *     empty set never
   * @throws IllegalArgumentException if libseccomp cannot express the condition, or there would be
   *     too many alternatives
   */
  Set<SortedMap<Integer, Comparison>> of(Condition condition) {
    return of(condition, false);
  }

  private Set<SortedMap<Integer, Comparison>> of(Condition condition, boolean negated) {
    return switch (condition) {
      case Condition.All all ->
          negated ? anyOf(all.conditions(), true) : allOf(all.conditions(), false);
      case Condition.Any any ->
          negated ? allOf(any.conditions(), true) : anyOf(any.conditions(), false);
      case Condition.Not not -> of(not.condition(), !negated);
      case Condition.Compare compare -> ranges(compare.subject(), ranges(compare), negated);
      case Condition.InRange range ->
          ranges(range.subject(), List.of(new Range(range.lo(), range.hi())), negated);
      case Condition.AnyOf anyOf ->
          ranges(
              anyOf.subject(),
              anyOf.values().stream().map(value -> new Range(value, value)).toList(),
              negated);
      case Condition.MaskedEqual masked -> masked(masked, negated);
      case Condition.RangeOutside _ ->
          throw new IllegalArgumentException("a condition on two arguments together");
    };
  }

  private Set<SortedMap<Integer, Comparison>> anyOf(List<Condition> conditions, boolean negated) {
    Set<SortedMap<Integer, Comparison>> all = new LinkedHashSet<>();
    for (Condition condition : conditions) {
      all.addAll(of(condition, negated));
      checkSize(all.size());
    }
    return all;
  }

  private Set<SortedMap<Integer, Comparison>> allOf(List<Condition> conditions, boolean negated) {
    Set<SortedMap<Integer, Comparison>> all = new LinkedHashSet<>();
    all.add(new TreeMap<>());
    for (Condition condition : conditions) {
      Set<SortedMap<Integer, Comparison>> more = of(condition, negated);
      Set<SortedMap<Integer, Comparison>> both = new LinkedHashSet<>();
      for (SortedMap<Integer, Comparison> left : all) {
        for (SortedMap<Integer, Comparison> right : more) {
          both.addAll(both(left, right));
          checkSize(both.size());
        }
      }
      all = both;
    }
    return all;
  }

  private static void checkSize(int size) {
    if (size > MAX) {
      throw new IllegalArgumentException("more than " + MAX + " alternatives");
    }
  }

  private Set<SortedMap<Integer, Comparison>> both(
      SortedMap<Integer, Comparison> left, SortedMap<Integer, Comparison> right) {
    Set<SortedMap<Integer, Comparison>> all = new LinkedHashSet<>();
    all.add(left);
    for (Map.Entry<Integer, Comparison> entry : right.entrySet()) {
      Set<SortedMap<Integer, Comparison>> next = new LinkedHashSet<>();
      for (SortedMap<Integer, Comparison> comparisons : all) {
        Comparison present = comparisons.get(entry.getKey());
        List<Comparison> together =
            present == null ? List.of(entry.getValue()) : both(present, entry.getValue());
        for (Comparison comparison : together) {
          SortedMap<Integer, Comparison> copy = new TreeMap<>(comparisons);
          copy.put(entry.getKey(), comparison);
          next.add(copy);
        }
      }
      all = next;
    }
    return all;
  }

  /** The conjunction of two comparisons of one argument, as alternatives. */
  private List<Comparison> both(Comparison left, Comparison right) {
    List<Comparison> all = new ArrayList<>();
    if (isOrdering(left) && isOrdering(right)) {
      for (Range a : ranges(left)) {
        for (Range b : ranges(right)) {
          long lo = Long.compareUnsigned(a.lo(), b.lo()) > 0 ? a.lo() : b.lo();
          long hi = Long.compareUnsigned(a.hi(), b.hi()) < 0 ? a.hi() : b.hi();
          if (Long.compareUnsigned(lo, hi) <= 0) {
            all.addAll(comparisons(left.argument(), new Range(lo, hi), bits));
          }
        }
      }
      return all;
    }
    for (Comparison a : masks(left)) {
      for (Comparison b : masks(right)) {
        if (((a.value() ^ b.value()) & a.mask() & b.mask()) == 0) {
          all.add(masked(left.argument(), a.mask() | b.mask(), a.value() | b.value()));
        }
      }
    }
    return all;
  }

  private static boolean isOrdering(Comparison comparison) {
    return comparison.operator() != Operator.MASKED_EQ;
  }

  /** MASKED_EQ, or EQ if the mask has all bits. */
  private Comparison masked(int argument, long mask, long value) {
    return mask == max(bits)
        ? Comparison.of(argument, Operator.EQ, value)
        : Comparison.masked(argument, mask, value);
  }

  private List<Comparison> masks(Comparison comparison) {
    if (!isOrdering(comparison)) {
      return List.of(comparison);
    }
    List<Comparison> masks = new ArrayList<>();
    ranges(comparison).forEach(range -> masks.addAll(blocks(comparison.argument(), range, bits)));
    return masks;
  }

  /** A range of unsigned numbers, inclusive. */
  private record Range(long lo, long hi) {}

  private static long max(int bits) {
    return bits == Long.SIZE ? -1 : LOW_HALF;
  }

  private List<Range> ranges(Comparison comparison) {
    return ranges(comparison.operator(), comparison.value(), max(bits));
  }

  private static List<Range> ranges(Operator operator, long value, long max) {
    List<Range> ranges = new ArrayList<>();
    boolean below = operator == Operator.LT || operator == Operator.LE || operator == Operator.NE;
    boolean above = operator == Operator.GT || operator == Operator.GE || operator == Operator.NE;
    if (below && value != 0) {
      ranges.add(new Range(0, value - 1));
    }
    if (operator == Operator.EQ || operator == Operator.LE || operator == Operator.GE) {
      ranges.add(new Range(value, value));
    }
    if (above && value != max) {
      ranges.add(new Range(value + 1, max));
    }
    return joined(ranges);
  }

  /** Joins adjacent ranges of a sorted list. */
  private static List<Range> joined(List<Range> ranges) {
    List<Range> joined = new ArrayList<>();
    for (Range range : ranges) {
      if (!joined.isEmpty() && joined.getLast().hi() + 1 == range.lo()) {
        joined.set(joined.size() - 1, new Range(joined.getLast().lo(), range.hi()));
      } else {
        joined.add(range);
      }
    }
    return joined;
  }

  private static List<Range> ranges(Condition.Compare compare) {
    int width = width(compare.subject());
    long max = max(width);
    long value = compare.value();
    return switch (compare.comparison()) {
      case EQUAL -> ranges(Operator.EQ, value, max);
      case NOT_EQUAL -> ranges(Operator.NE, value, max);
      case LESS -> ranges(Operator.LT, value, max);
      case LESS_OR_EQUAL -> ranges(Operator.LE, value, max);
      case GREATER -> ranges(Operator.GT, value, max);
      case GREATER_OR_EQUAL -> ranges(Operator.GE, value, max);
      case SIGNED_LESS -> signed(Operator.LT, value, width);
      case SIGNED_LESS_OR_EQUAL -> signed(Operator.LE, value, width);
      case SIGNED_GREATER -> signed(Operator.GT, value, width);
      case SIGNED_GREATER_OR_EQUAL -> signed(Operator.GE, value, width);
    };
  }

  /**
   * The ranges of a signed comparison. Adding the sign bit turns signed order into unsigned order;
   * undoing that may split a range.
   */
  private static List<Range> signed(Operator operator, long value, int width) {
    long sign = 1L << (width - 1);
    List<Range> signed = new ArrayList<>();
    for (Range range : ranges(operator, value ^ sign, max(width))) {
      boolean low = (range.lo() & sign) == 0;
      boolean high = (range.hi() & sign) != 0;
      if (high) {
        signed.add(new Range(low ? 0 : range.lo() ^ sign, range.hi() ^ sign));
      }
      if (low) {
        signed.add(new Range(range.lo() ^ sign, high ? max(width) : range.hi() ^ sign));
      }
    }
    return joined(signed);
  }

  private static int width(Condition.Subject subject) {
    return subject.width() == Condition.Width.BITS_32 ? Integer.SIZE : Long.SIZE;
  }

  private static List<Range> complement(List<Range> sorted, long max) {
    List<Range> others = new ArrayList<>();
    long next = 0;
    for (Range range : sorted) {
      if (range.lo() != next) {
        others.add(new Range(next, range.lo() - 1));
      }
      if (range.hi() == max) {
        return others;
      }
      next = range.hi() + 1;
    }
    others.add(new Range(next, max));
    return others;
  }

  private Set<SortedMap<Integer, Comparison>> ranges(
      Condition.Subject subject, List<Range> sorted, boolean negated) {
    int argument = argument(subject.field());
    int width = width(subject);
    List<Range> ranges = negated ? complement(sorted, max(width)) : joined(sorted);
    Set<SortedMap<Integer, Comparison>> all = new LinkedHashSet<>();
    if (isOneValueMissing(ranges, width)) {
      all.add(one(Comparison.of(argument, Operator.NE, ranges.getFirst().hi() + 1)));
      return all;
    }
    for (Range range : ranges) {
      if (range.lo() == 0 && range.hi() == max(width)) {
        return Set.of(new TreeMap<>());
      }
      comparisons(argument, range, width).forEach(comparison -> all.add(one(comparison)));
      checkSize(all.size());
    }
    return all;
  }

  private boolean isOneValueMissing(List<Range> ranges, int width) {
    return width == bits
        && ranges.size() == 2
        && ranges.getFirst().lo() == 0
        && ranges.getLast().hi() == max(width)
        && ranges.getFirst().hi() + 2 == ranges.getLast().lo();
  }

  private Set<SortedMap<Integer, Comparison>> masked(
      Condition.MaskedEqual masked, boolean negated) {
    int argument = argument(masked.subject().field());
    long mask = visible(masked.mask(), masked.subject());
    long value = masked.value();
    Set<SortedMap<Integer, Comparison>> all = new LinkedHashSet<>();
    if ((value & ~mask) != 0) { // bits that are always 0
      if (negated) {
        all.add(new TreeMap<>());
      }
    } else if (!negated) {
      all.add(mask == 0 ? new TreeMap<>() : one(masked(argument, mask, value)));
    } else {
      for (long rest = mask; rest != 0; rest &= rest - 1) {
        long bit = Long.lowestOneBit(rest);
        all.add(one(masked(argument, bit, ~value & bit)));
      }
    }
    return all;
  }

  /**
   * The mask of the bits that can be nonzero: on a 32-bit architecture the high half of a 64-bit
   * operand is 0.
   */
  private long visible(long mask, Condition.Subject subject) {
    return width(subject) > bits ? mask & LOW_HALF : mask;
  }

  private static SortedMap<Integer, Comparison> one(Comparison comparison) {
    SortedMap<Integer, Comparison> map = new TreeMap<>();
    map.put(comparison.argument(), comparison);
    return map;
  }

  private static int argument(SeccompField field) {
    if (field == SeccompField.INSTRUCTION_POINTER) {
      throw new IllegalArgumentException("a condition on the instruction pointer");
    }
    int index = 0;
    while (SeccompField.argument(index) != field) {
      index++;
    }
    return index;
  }

  /** A single comparison if one expresses the range, else blocks. */
  private List<Comparison> comparisons(int argument, Range range, int width) {
    long hi = range.hi();
    if (width > bits) { // the high half is 0
      if (Long.compareUnsigned(range.lo(), LOW_HALF) > 0) {
        return List.of();
      }
      hi = Long.compareUnsigned(hi, LOW_HALF) > 0 ? LOW_HALF : hi;
    }
    Range visible = new Range(range.lo(), hi);
    if (width < bits) {
      return blocks(argument, visible, width);
    }
    if (visible.lo() == hi) {
      return List.of(Comparison.of(argument, Operator.EQ, hi));
    }
    if (visible.lo() == 0) {
      return List.of(Comparison.of(argument, Operator.LE, hi));
    }
    if (hi == max(bits)) {
      return List.of(Comparison.of(argument, Operator.GE, visible.lo()));
    }
    return blocks(argument, visible, bits);
  }

  /** A range as aligned blocks whose sizes are powers of two. */
  private List<Comparison> blocks(int argument, Range range, int width) {
    List<Comparison> blocks = new ArrayList<>();
    long max = max(width);
    long lo = range.lo();
    while (true) {
      long size = lo == 0 ? 0 : Long.lowestOneBit(lo); // 0: all numbers
      while (size == 0 ? range.hi() != max : Long.compareUnsigned(size - 1, range.hi() - lo) > 0) {
        size = size == 0 ? 1L << (width - 1) : size >>> 1;
      }
      blocks.add(masked(argument, max & -size, lo));
      long last = lo + size - 1;
      if (last == range.hi()) {
        return blocks;
      }
      lo = last + 1;
    }
  }
}
