package dev.stubpool.kernel.memory;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * An ordered set of regions that do not overlap. Regions that continue each other are joined. One
 * range is reserved: it is neither mapped nor free.
 */
final class Regions {
  private final long reservedStart;
  private final long reservedEnd;
  private final TreeMap<Long, Region> byStart = new TreeMap<>();

  /** Creates an empty set with a reserved range. */
  Regions(long reservedStart, long reservedEnd) {
    this.reservedStart = reservedStart;
    this.reservedEnd = reservedEnd;
  }

  /** Copies the set. */
  Regions copy() {
    Regions copy = new Regions(reservedStart, reservedEnd);
    copy.byStart.putAll(byStart);
    return copy;
  }

  /** All regions, by address. */
  Collection<Region> all() {
    return Collections.unmodifiableCollection(byStart.values());
  }

  /** The region of an address; null if nothing is mapped there. */
  Region find(long address) {
    Map.Entry<Long, Region> before = byStart.floorEntry(address);
    return before != null && before.getValue().end() > address ? before.getValue() : null;
  }

  /** The regions in a range, cut to it, by address. */
  List<Region> within(long start, long end) {
    Region first = find(start);
    long from = first == null ? start : first.start();
    List<Region> parts = new ArrayList<>();
    for (Region region : byStart.subMap(from, end).values()) {
      parts.add(region.part(Math.max(start, region.start()), Math.min(end, region.end())));
    }
    return parts;
  }

  /** The backings of the regions in a range. */
  Set<Backing> backings(long start, long end) {
    Set<Backing> backings = new LinkedHashSet<>();
    for (Region region : within(start, end)) {
      if (region.backing() != null) {
        backings.add(region.backing());
      }
    }
    return backings;
  }

  /** Whether any part of a backing is mapped. */
  boolean contains(Backing backing) {
    return byStart.values().stream().anyMatch(region -> backing.equals(region.backing()));
  }

  /** The bytes that the regions of a range charge to the budget. */
  long chargedSize(long start, long end) {
    return within(start, end).stream().mapToLong(Region::chargedSize).sum();
  }

  /** The first unmapped address of a range, or its end. */
  long mappedUntil(long start, long end) {
    long until = start;
    while (until < end) {
      Region region = find(until);
      if (region == null) {
        return until;
      }
      until = region.end();
    }
    return end;
  }

  /** Adds a region, replacing others in its range. */
  void put(Region region) {
    remove(region.start(), region.end());
    Region joined = region;
    Map.Entry<Long, Region> before = byStart.lowerEntry(joined.start());
    if (before != null && before.getValue().joins(joined)) {
      joined = before.getValue().part(before.getKey(), joined.end());
    }
    Region after = byStart.get(region.end());
    if (after != null && joined.joins(after)) {
      byStart.remove(after.start());
      joined = joined.part(joined.start(), after.end());
    }
    byStart.put(joined.start(), joined);
  }

  /** Removes a range. */
  void remove(long start, long end) {
    Region first = find(start);
    Map.Entry<Long, Region> last = byStart.lowerEntry(end);
    byStart.subMap(start, end).clear();
    if (first != null && first.start() < start) {
      byStart.put(first.start(), first.part(first.start(), start));
    }
    if (last != null && last.getValue().end() > end) {
      byStart.put(end, last.getValue().part(end, last.getValue().end()));
    }
  }

  /** The number of regions. */
  int size() {
    return byStart.size();
  }

  /** An upper bound for the growth of the number of regions when a range is replaced. */
  int moreIfReplaced(long start, long end) {
    return within(start, end).isEmpty() ? 1 : cuts(start) + cuts(end);
  }

  /** The growth of the number of regions when a range is removed. */
  int moreIfRemoved(long start, long end) {
    Region around = find(start);
    return around != null && around.start() < start && around.end() > end ? 1 : 0;
  }

  private int cuts(long address) {
    Region region = find(address);
    return region != null && region.start() < address ? 1 : 0;
  }

  /** Whether nothing is mapped or reserved in a range. */
  boolean isFree(long start, long end) {
    Map.Entry<Long, Region> last = byStart.lowerEntry(end);
    return (last == null || last.getValue().end() <= start)
        && (end <= reservedStart || start >= reservedEnd);
  }

  /**
   * The highest free range of a size within bounds.
   *
   * @return its start, or -1 if there is none
   */
  long highestFree(long size, long lowest, long highest) {
    long end = highest;
    for (Region region : byStart.headMap(highest, false).descendingMap().values()) {
      long found = highestIn(Math.max(lowest, region.end()), end, size);
      if (found >= 0) {
        return found;
      }
      if (region.start() < lowest) {
        return -1;
      }
      end = region.start();
    }
    return highestIn(lowest, end, size);
  }

  private long highestIn(long start, long end, long size) {
    if (reservedStart >= end || reservedEnd <= start) {
      return end - size >= start ? end - size : -1;
    }
    if (end - size >= reservedEnd) {
      return end - size;
    }
    return reservedStart - size >= start ? reservedStart - size : -1;
  }
}
