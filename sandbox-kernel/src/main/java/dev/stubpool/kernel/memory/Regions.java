package dev.stubpool.kernel.memory;

import java.util.Map;
import java.util.TreeMap;

/** Which addresses are taken: ranges of whole pages that do not overlap. */
final class Regions {
  /** Start to end. Neighbours are joined. */
  private final TreeMap<Long, Long> taken = new TreeMap<>();

  /** Takes a range, or what of it was free. */
  void add(long start, long end) {
    long from = start;
    long to = end;
    Map.Entry<Long, Long> before = taken.floorEntry(start);
    if (before != null && before.getValue() >= start) {
      from = before.getKey();
    }
    Map.Entry<Long, Long> last = taken.floorEntry(end);
    if (last != null) {
      to = Math.max(to, last.getValue());
    }
    taken.subMap(from, true, to, true).clear();
    taken.put(from, to);
  }

  /** Frees a range, or what of it was taken. */
  void remove(long start, long end) {
    Map.Entry<Long, Long> last = taken.lowerEntry(end);
    long behind = last == null ? end : last.getValue();
    Map.Entry<Long, Long> before = taken.lowerEntry(start);
    if (before != null && before.getValue() > start) {
      taken.put(before.getKey(), start);
    }
    taken.subMap(start, true, end, false).clear();
    if (behind > end) {
      taken.put(end, behind);
    }
  }

  /** Whether nothing of a range is taken. */
  boolean isFree(long start, long end) {
    Map.Entry<Long, Long> last = taken.lowerEntry(end);
    return last == null || last.getValue() <= start;
  }

  /**
   * The highest free range of a size within bounds.
   *
   * @return its start, or -1 if there is none
   */
  long highestFree(long size, long lowest, long highest) {
    long end = highest;
    while (end - size >= lowest) {
      Map.Entry<Long, Long> last = taken.lowerEntry(end);
      if (last == null || last.getValue() <= end - size) {
        return end - size;
      }
      end = last.getKey();
    }
    return -1;
  }
}
