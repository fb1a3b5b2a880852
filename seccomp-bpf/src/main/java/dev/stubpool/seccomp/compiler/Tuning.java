package dev.stubpool.seccomp.compiler;

import java.util.List;

/**
 * The parameters of the optimizer's cost model and search.
 *
 * @param slowShare for speed: the weight of the average over conditional calls, where the average
 *     over all numbers has weight 1
 * @param stepsPerInstruction for speed: how many steps an instruction must save to be worth its
 *     place
 * @param instructionsPerStep for size: the cost of a step in instructions; well below 1
 * @param speedWidths for speed: the number of tests followed at each depth of the search
 * @param sizeWidths the same for size
 * @param maskBits for speed: how many bits of a number are tested at once
 */
record Tuning(
    double slowShare,
    double stepsPerInstruction,
    double instructionsPerStep,
    List<Integer> speedWidths,
    List<Integer> sizeWidths,
    int maskBits) {

  static final Tuning DEFAULT = new Tuning(0.16, 0.002, 0.05, List.of(3, 2), List.of(2), 3);

  Tuning {
    speedWidths = List.copyOf(speedWidths);
    sizeWidths = List.copyOf(sizeWidths);
  }

  /** The same parameters, with size regardless of steps. */
  Tuning smallest() {
    return new Tuning(slowShare, stepsPerInstruction, 0, speedWidths, sizeWidths, maskBits);
  }
}
