package dev.stubpool.seccomp.compiler;

import java.util.List;

/**
 * The numbers that decide what the optimizer takes for better, and how long it searches.
 *
 * @param slowShare for speed: how much the average over conditional calls counts, where the average
 *     over all numbers counts 1
 * @param stepsPerInstruction for speed: how many steps an instruction may save to be worth its
 *     place
 * @param instructionsPerStep for size: how many instructions a step is worth; well below 1
 * @param speedWidths for speed: how many tests are followed at each depth of a tree
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

  /** The same, for size whatever it costs in steps. */
  Tuning smallest() {
    return new Tuning(slowShare, stepsPerInstruction, 0, speedWidths, sizeWidths, maskBits);
  }
}
