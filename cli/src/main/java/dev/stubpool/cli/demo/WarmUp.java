package dev.stubpool.cli.demo;

import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Runs the code that is timed later, so that the JVM compiles it, in a pool of its own. */
final class WarmUp {
  private static final int STUBS = 16;
  private static final Duration LEAST_TIME = Duration.ofMillis(700);

  /** The least number of stubs; on a busy machine a time limit alone would warm up too little. */
  private static final int LEAST_STUBS = 1500;

  private static final Duration MOST_TIME = Duration.ofSeconds(4);

  private WarmUp() {}

  /** Returns the number of stubs forged. */
  static long run() {
    long start = System.nanoTime();
    try (StubPool pool =
            StubPool.open(
                StubPoolOptions.builder().name("warm-up").minIdle(0).maxStubs(2 * STUBS).build());
        SampleFile file = SampleFile.open(pool)) {
      Rounds rounds = new Rounds(pool);
      List<Stub> stubs = new ArrayList<>();
      long time;
      do {
        rounds.createAtOnce(STUBS, stubs);
        rounds.discard(stubs);
        for (int i = 0; i < STUBS; i++) {
          rounds.create(stubs);
        }
        for (Stub stub : stubs) {
          file.mapInto(stub);
          file.checkIn(stub);
          rounds.inject(stub);
        }
        for (int i = 0; i < 5; i++) {
          rounds.recycle(stubs);
          stubs.clear();
          rounds.acquireWarm(STUBS, stubs);
        }
        rounds.discard(stubs);
        time = System.nanoTime() - start;
      } while (time < LEAST_TIME.toNanos()
          || (pool.stats().created() < LEAST_STUBS && time < MOST_TIME.toNanos()));
      return pool.stats().created();
    }
  }
}
