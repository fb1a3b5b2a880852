package dev.stubpool.bench;

import dev.stubpool.Affinity;
import dev.stubpool.OnRelease;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.pool.Pool;
import dev.stubpool.thread.Request;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.TearDown;

/** Benchmarks of a caller who is not the pool's tracer: every request is a hand-over. */
public abstract class PoolBenchmark extends StubBenchmark {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final long POLL_NANOS = 1_000_000;

  /** Any: where the threads run is then decided from outside, as for the floor. */
  @Param("ANY_CPU")
  public Affinity affinity;

  StubPool pool;

  void open(int minIdle, OnRelease onRelease) {
    pool =
        StubPool.open(
            StubPoolOptions.builder()
                .name("bench")
                .minIdle(minIdle)
                .onRelease(onRelease)
                .affinity(affinity)
                .build());
  }

  /** Waits until so many stubs are idle. */
  void awaitIdle(int count) {
    while (pool.stats().idle() < count) {
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  /** Waits until the tracer has done all that it was asked for before, and has no stub to reset. */
  void settle() {
    do {
      roundTrip();
    } while (pool.stats().resetting() > 0);
  }

  private void roundTrip() {
    new Request() {
      @Override
      protected long perform() {
        return 0;
      }
    }.submitAndWait(((Pool) pool).tracerThread(), PATIENCE);
  }

  /** Kills and reaps all stubs. */
  @TearDown
  public void closePool() {
    pool.close();
  }
}
