package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Architecture;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Options of the compiler; an immutable value.
 *
 * @param optimize the goal of optimization
 * @param weights for each architecture, relative call frequencies by number: {@code 1000.0} means a
 *     thousand times as frequent as a number that is not listed. Without weights, all numbers from
 *     0 to 462 count the same, and conditional rules count extra, so that calls that are not in the
 *     kernel's bitmap take few steps. Only {@link Optimization#SPEED} uses weights, and {@link
 *     Optimization#SIZE} for ties
 */
public record CompilerOptions(
    Optimization optimize, Map<Architecture, Map<Integer, Double>> weights) {

  /** Speed, without weights. */
  public static final CompilerOptions DEFAULT = of(Optimization.SPEED);

  /**
   * Copies the weights.
   *
   * @throws IllegalArgumentException if a weight is not finite or is negative, or a number belongs
   *     to another architecture
   */
  public CompilerOptions {
    Objects.requireNonNull(optimize, "optimize");
    Map<Architecture, Map<Integer, Double>> copy = new EnumMap<>(Architecture.class);
    weights.forEach(
        (architecture, byNumber) -> {
          byNumber.forEach((nr, weight) -> check(architecture, nr, weight));
          copy.put(architecture, Collections.unmodifiableMap(new TreeMap<>(byNumber)));
        });
    weights = Collections.unmodifiableMap(copy);
  }

  private static void check(Architecture architecture, int nr, double weight) {
    if (!Double.isFinite(weight) || weight < 0) {
      throw new IllegalArgumentException(
          "weight of %s system call %d is no frequency: %s"
              .formatted(architecture.label(), nr, weight));
    }
    if (!architecture.owns(nr)) {
      throw new IllegalArgumentException(
          "no %s system call number: 0x%x".formatted(architecture.label(), nr));
    }
  }

  /**
   * Creates options without weights.
   *
   * @param optimize the goal of optimization
   * @return the options
   */
  public static CompilerOptions of(Optimization optimize) {
    return new CompilerOptions(optimize, Map.of());
  }

  /**
   * Returns options with other weights for one architecture.
   *
   * @param architecture the architecture
   * @param byNumber relative call frequencies by number
   * @return the options
   * @throws IllegalArgumentException if a weight is not finite or negative, or a number belongs to
   *     another architecture
   */
  public CompilerOptions withWeights(Architecture architecture, Map<Integer, Double> byNumber) {
    Map<Architecture, Map<Integer, Double>> all = new EnumMap<>(Architecture.class);
    all.putAll(weights);
    all.put(architecture, byNumber);
    return new CompilerOptions(optimize, all);
  }
}
