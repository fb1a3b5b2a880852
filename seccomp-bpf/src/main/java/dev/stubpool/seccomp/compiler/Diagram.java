package dev.stubpool.seccomp.compiler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A policy as a decision diagram: each inner node chooses between ranges of one operand. Equal
 * nodes are the same object, and adjacent ranges of a node have different children.
 */
final class Diagram {

  /** A function of a system call. */
  sealed interface Node {}

  /**
   * A constant function.
   *
   * @param value the value that a filter returns
   */
  record Leaf(int value) implements Node {}

  /** A choice between ranges of an operand. Compared by identity. */
  static final class Choice implements Node {
    private final Operand operand;
    private final long[] ends;
    private final List<Node> children;

    private Choice(Operand operand, long[] ends, List<Node> children) {
      this.operand = operand;
      this.ends = ends;
      this.children = children;
    }

    Operand operand() {
      return operand;
    }

    int size() {
      return ends.length;
    }

    long lo(int range) {
      return range == 0 ? 0 : ends[range - 1] + 1;
    }

    long hi(int range) {
      return ends[range];
    }

    Node child(int range) {
      return children.get(range);
    }

    List<Node> children() {
      return children;
    }
  }

  private record Key(Operand operand, List<Long> ends, List<Node> children) {}

  private final Map<Key, Choice> choices = new HashMap<>();
  private final Map<Integer, Leaf> leaves = new HashMap<>();

  Leaf leaf(int value) {
    return leaves.computeIfAbsent(value, Leaf::new);
  }

  /**
   * Returns the node for a choice.
   *
   * @param operand the operand
   * @param ends the last value of each range, in order; the last one is the operand's maximum
   * @param children a node for each range
   * @return the node, or the child itself if all children are the same
   */
  Node choose(Operand operand, long[] ends, List<Node> children) {
    List<Long> mergedEnds = new ArrayList<>();
    List<Node> merged = new ArrayList<>();
    for (int i = 0; i < ends.length; i++) {
      if (!merged.isEmpty() && merged.getLast().equals(children.get(i))) {
        mergedEnds.removeLast();
      } else {
        merged.add(children.get(i));
      }
      mergedEnds.add(ends[i]);
    }
    if (merged.size() == 1) {
      return merged.getFirst();
    }
    return choices.computeIfAbsent(
        new Key(operand, List.copyOf(mergedEnds), List.copyOf(merged)),
        key ->
            new Choice(
                operand, key.ends.stream().mapToLong(Long::longValue).toArray(), key.children));
  }

  @Override
  public String toString() {
    return choices.size() + " choices, leaves " + Arrays.toString(leaves.keySet().toArray());
  }
}
