package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.bpf.EbpfLength;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What is worth knowing about a compiled filter.
 *
 * @param instructions its length, 1 to 4096
 * @param ebpfLength its length once translated by the kernel, which counts for the limit on all
 *     filters of a task
 * @param cachedNumbers the numbers that the kernel answers from its bitmap (Linux 5.11) without
 *     running the filter, of those below 512; none on x32, which the bitmap leaves out
 */
public record CompilerReport(
    int instructions, int ebpfLength, Map<Architecture, List<Integer>> cachedNumbers) {

  /** Copies the numbers. */
  public CompilerReport {
    Map<Architecture, List<Integer>> copy = new EnumMap<>(Architecture.class);
    cachedNumbers.forEach((architecture, numbers) -> copy.put(architecture, List.copyOf(numbers)));
    cachedNumbers = Collections.unmodifiableMap(copy);
  }

  /**
   * What the filter leaves for others of the same task.
   *
   * @return in eBPF instructions, of {@value EbpfLength#MAX_PATH}
   */
  public int pathBudgetLeft() {
    return EbpfLength.MAX_PATH - ebpfLength;
  }
}
