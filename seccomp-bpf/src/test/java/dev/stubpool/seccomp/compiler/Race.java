package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.bpf.BpfCost;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import java.util.Arrays;
import java.util.IntSummaryStatistics;

/**
 * The counts that a filter for {@link RacePolicy} is compared by. Steps are executed instructions,
 * the return included.
 *
 * @param instructions its length
 * @param ebpfLength its translated length
 * @param all steps of each number from 0 to 462, all arguments 0
 * @param denied the same of those that are then denied
 * @param slow steps of the allowed calls that are allowed for their arguments
 */
record Race(
    int instructions,
    int ebpfLength,
    IntSummaryStatistics all,
    IntSummaryStatistics denied,
    IntSummaryStatistics slow) {

  static Race of(BpfProgram program) {
    BpfSimulator filter = new BpfSimulator(program);
    IntSummaryStatistics all = new IntSummaryStatistics();
    IntSummaryStatistics denied = new IntSummaryStatistics();
    for (int nr = 0; nr <= 462; nr++) {
      BpfSimulator.Result result = filter.run(SeccompData.of(Architecture.X86_64, nr, 0));
      all.accept(result.steps());
      if (result.action().equals(SeccompAction.TRAP)) {
        denied.accept(result.steps());
      }
    }
    IntSummaryStatistics slow = new IntSummaryStatistics();
    for (long[] call : RacePolicy.slowCalls()) {
      BpfSimulator.Result result =
          filter.run(
              SeccompData.of(
                  Architecture.X86_64, (int) call[0], 0, Arrays.copyOfRange(call, 1, call.length)));
      if (!result.action().equals(SeccompAction.ALLOW)) {
        throw new AssertionError(result + " for " + Arrays.toString(call));
      }
      slow.accept(result.steps());
    }
    return new Race(program.length(), BpfCost.of(program).ebpfLength(), all, denied, slow);
  }

  @Override
  public String toString() {
    return "%d instructions, eBPF %d, 0-462 %.2f / %d, denied %.2f / %d, slow %.2f / %d"
        .formatted(
            instructions,
            ebpfLength,
            all.getAverage(),
            all.getMax(),
            denied.getAverage(),
            denied.getMax(),
            slow.getAverage(),
            slow.getMax());
  }
}
