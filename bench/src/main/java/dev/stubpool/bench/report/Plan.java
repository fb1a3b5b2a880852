package dev.stubpool.bench.report;

import java.util.List;

/**
 * How much is measured.
 *
 * @param rounds how often everything is
 * @param samples of each row of a floor
 * @param clones of each kind in the group {@code source_clone}
 * @param warmups JMH's number of warm-up iterations
 * @param times JMH's other options of iterations
 */
record Plan(int rounds, int samples, int clones, int warmups, List<String> times) {
  private static final int ROUNDS = 5;

  /** A run whose figures mean something. */
  static Plan full(int rounds) {
    return new Plan(
        rounds == 0 ? ROUNDS : rounds,
        4000,
        3,
        3,
        List.of("-w", "700ms", "-i", "2", "-r", "300ms"));
  }

  /** A run that shows whether everything works. */
  static Plan quick(int rounds) {
    return new Plan(
        rounds == 0 ? 1 : rounds, 500, 1, 2, List.of("-w", "300ms", "-i", "1", "-r", "300ms"));
  }

  /** Fills in <code>{samples}</code>, <code>{samples/10}</code> and <code>{clones}</code>. */
  String fill(String argument) {
    return argument
        .replace("{samples}", Integer.toString(samples))
        .replace("{samples/10}", Integer.toString(samples / 10))
        .replace("{clones}", Integer.toString(clones));
  }
}
