package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.bpf.BpfCost;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What is worth knowing about a compiled filter.
 *
 * @param cost its lengths, and what they count for
 * @param cachedNumbers the numbers that the kernel answers from its bitmap without running the
 *     filter, see {@link BpfCost#alwaysAllowed}
 */
public record CompilerReport(BpfCost cost, Map<Architecture, List<Integer>> cachedNumbers) {

  /** Copies the numbers. */
  public CompilerReport {
    Map<Architecture, List<Integer>> copy = new EnumMap<>(Architecture.class);
    cachedNumbers.forEach((architecture, numbers) -> copy.put(architecture, List.copyOf(numbers)));
    cachedNumbers = Collections.unmodifiableMap(copy);
  }

  /**
   * What the filter leaves for others of the same thread.
   *
   * @return in eBPF instructions, of {@value BpfCost#PATH_BUDGET}
   */
  public int pathBudgetLeft() {
    return BpfCost.PATH_BUDGET - cost.ebpfLength();
  }
}
