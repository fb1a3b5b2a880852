package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Architecture;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * How to compile; a value.
 *
 * @param optimize what the filter is to be good at
 * @param weights for each architecture, how often calls occur, by number: {@code 1000.0} is a
 *     thousand times as often as a number that is not named. Without any, every number from 0 to
 *     462 counts the same, and conditional rules count extra, so that calls that the kernel's
 *     bitmap cannot answer are answered soon. Only {@link Optimization#SPEED} and ties in {@link
 *     Optimization#SIZE} look at it
 */
public record CompilerOptions(
    Optimization optimize, Map<Architecture, Map<Integer, Double>> weights) {

  /** Speed, without weights. */
  public static final CompilerOptions DEFAULT = of(Optimization.SPEED);

  /**
   * Copies the weights.
   *
   * @throws IllegalArgumentException if a weight is not finite or negative, or a number belongs to
   *     another architecture
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
   * Options without weights.
   *
   * @param optimize what the filter is to be good at
   * @return the options
   */
  public static CompilerOptions of(Optimization optimize) {
    return new CompilerOptions(optimize, Map.of());
  }

  /**
   * The same with other weights for one architecture.
   *
   * @param architecture which
   * @param byNumber how often calls occur, by number
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
