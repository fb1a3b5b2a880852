package dev.stubpool.bench;

import dev.stubpool.OnRelease;
import dev.stubpool.bench.report.Figure;
import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import java.time.Duration;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Many threads lease and give back, and do nothing else: what is contended is the pool's queues.
 * The number of threads is JMH's option. The floor has no such row.
 */
@State(Scope.Benchmark)
public class ContendedBenchmark extends PoolBenchmark {
  private static final int IDLE = 256;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** A pool with more idle stubs than threads. */
  @Setup
  public void open() {
    open(IDLE, OnRelease.RECYCLE);
    awaitIdle(IDLE);
  }

  /** Rows {@code acquire_contended_THREADS}. */
  @Benchmark
  @Row(
      group = Group.CONTENDED,
      name = "acquire_contended_{threads}",
      threads = {1, 2, 4, 8, 16})
  @Row(
      group = Group.CONTENDED,
      name = "acquire_contended_{threads}_mean",
      threads = {1, 2, 4, 8, 16},
      figure = Figure.MEAN)
  public void acquireRelease() {
    pool.acquire(PATIENCE).close();
  }
}
