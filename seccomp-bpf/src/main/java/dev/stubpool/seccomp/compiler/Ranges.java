package dev.stubpool.seccomp.compiler;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Builds a function from unsigned 32-bit numbers to nodes. */
final class Ranges {

  private static final long MAX = 0xffff_ffffL;

  /** The nodes by the first number of their range. */
  private final TreeMap<Long, Diagram.Node> begins = new TreeMap<>();

  Ranges(Diagram.Node all) {
    begins.put(0L, all);
  }

  Ranges copy() {
    Ranges copy = new Ranges(begins.get(0L));
    copy.begins.putAll(begins);
    return copy;
  }

  /** Sets the node of all numbers from {@code begin} on. */
  void from(long begin, Diagram.Node node) {
    begins.tailMap(begin, true).clear();
    begins.put(begin, node);
  }

  /** Sets the node of one number. */
  void put(long number, Diagram.Node node) {
    Diagram.Node old = begins.floorEntry(number).getValue();
    begins.put(number, node);
    if (number < MAX) {
      begins.putIfAbsent(number + 1, old);
    }
  }

  boolean isOnly(Diagram.Node node) {
    return begins.values().stream().allMatch(node::equals);
  }

  Diagram.Node choose(Diagram diagram, Operand operand) {
    List<Diagram.Node> children = new ArrayList<>();
    long[] ends = new long[begins.size()];
    for (Map.Entry<Long, Diagram.Node> entry : begins.entrySet()) {
      if (!children.isEmpty()) {
        ends[children.size() - 1] = entry.getKey() - 1;
      }
      children.add(entry.getValue());
    }
    ends[ends.length - 1] = MAX;
    return diagram.choose(operand, ends, children);
  }
}
