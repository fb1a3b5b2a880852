package dev.stubpool.seccomp.bpf;

import java.util.ArrayList;
import java.util.List;

/**
 * A set of unsigned 32-bit numbers, as ordered ranges. An over-approximation: too many ranges are
 * merged into one.
 */
record NumberRanges(List<Range> ranges) {

  static final NumberRanges ALL = of(0, 0xffff_ffffL);

  private static final int MAX_RANGES = 64;

  /** All numbers from the first to the last, inclusive. */
  record Range(long first, long last) {}

  static NumberRanges of(long first, long last) {
    return new NumberRanges(first <= last ? List.of(new Range(first, last)) : List.of());
  }

  boolean isEmpty() {
    return ranges.isEmpty();
  }

  NumberRanges and(NumberRanges other) {
    List<Range> result = new ArrayList<>();
    for (Range a : ranges) {
      for (Range b : other.ranges) {
        long first = Math.max(a.first, b.first);
        long last = Math.min(a.last, b.last);
        if (first <= last) {
          result.add(new Range(first, last));
        }
      }
    }
    return limited(result);
  }

  NumberRanges or(NumberRanges other) {
    List<Range> all = new ArrayList<>(ranges);
    all.addAll(other.ranges);
    all.sort((a, b) -> Long.compare(a.first, b.first));
    List<Range> result = new ArrayList<>();
    for (Range range : all) {
      Range previous = result.isEmpty() ? null : result.getLast();
      if (previous != null && range.first <= previous.last + 1) {
        result.set(
            result.size() - 1, new Range(previous.first, Math.max(previous.last, range.last)));
      } else {
        result.add(range);
      }
    }
    return limited(result);
  }

  /** All numbers of the set; empty if there are more than {@code max}. */
  List<Integer> listed(int max) {
    List<Integer> numbers = new ArrayList<>();
    for (Range range : ranges) {
      if (range.last - range.first >= max - numbers.size()) {
        return List.of();
      }
      for (long number = range.first; number <= range.last; number++) {
        numbers.add((int) number);
      }
    }
    return numbers;
  }

  private static NumberRanges limited(List<Range> ranges) {
    return ranges.size() <= MAX_RANGES
        ? new NumberRanges(List.copyOf(ranges))
        : of(ranges.getFirst().first, ranges.getLast().last);
  }
}
