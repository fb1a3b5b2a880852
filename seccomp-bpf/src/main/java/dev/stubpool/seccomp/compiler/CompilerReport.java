package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.bpf.BpfCost;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Properties of a compiled filter.
 *
 * @param cost its lengths and costs
 * @param cachedNumbers the numbers that the kernel allows from its bitmap without running the
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
   * The budget that is left for other filters of the same thread.
   *
   * @return the number of eBPF instructions, of {@value BpfCost#PATH_BUDGET}
   */
  public int pathBudgetLeft() {
    return BpfCost.PATH_BUDGET - cost.ebpfLength();
  }
}
