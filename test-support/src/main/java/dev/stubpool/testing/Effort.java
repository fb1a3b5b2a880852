package dev.stubpool.testing;

import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;
import java.util.random.RandomGenerator;

/**
 * How much the tests that are repeated or random do: little by default, much with {@code
 * -Dstubpool.proof=true}.
 *
 * <p>Case i of a test has the seed s + i, where s is {@code -Dstubpool.seed} or a constant (in a
 * proof: the time). A failure names the seed of its case; with that as {@code stubpool.seed} it is
 * the first case.
 */
public final class Effort {

  private static final boolean PROOF = Boolean.getBoolean("stubpool.proof");
  private static final long SEED =
      Long.getLong("stubpool.seed", PROOF ? System.currentTimeMillis() << 20 : 42);

  private Effort() {}

  /** Whether the tests are to do much. */
  public static boolean isProof() {
    return PROOF;
  }

  /** How many cases, rounds or seconds. */
  public static int cases(int usually, int inProof) {
    return PROOF ? inProof : usually;
  }

  /** Runs a test once for each seed; what it throws is reported together with the seed. */
  public static void forEachSeed(int cases, LongConsumer test) {
    for (long seed = SEED; seed < SEED + cases; seed++) {
      try {
        test.accept(seed);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("with -Dstubpool.seed=" + seed + ": " + e.getMessage(), e);
      }
    }
  }

  public static RandomGenerator random(long seed) {
    return new SplittableRandom(seed);
  }

  public static <T> T oneOf(RandomGenerator random, List<T> values) {
    return values.get(random.nextInt(values.size()));
  }
}
