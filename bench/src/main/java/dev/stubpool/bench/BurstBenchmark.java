package dev.stubpool.bench;

import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Setup;

/**
 * Giving back 5,000 leased stubs one after the other. Each {@code close} is timed; the first of a
 * burst finds the tracer asleep. The floor has no such row.
 */
public class BurstBenchmark extends PoolBenchmark {
  private static final int STUBS = 5_000;

  private final Stub[] stubs = new Stub[STUBS];
  private int leased;

  /** A pool of 5,000. */
  @Setup
  public void open() {
    pool =
        StubPool.open(
            StubPoolOptions.builder()
                .name("burst")
                .minIdle(STUBS)
                .maxStubs(STUBS)
                .affinity(affinity)
                .build());
  }

  /** Leases all, once all are given back and idle again. */
  @Setup(Level.Invocation)
  public void lease() {
    if (leased == 0) {
      awaitIdle(STUBS);
      while (leased < STUBS) {
        stubs[leased++] = pool.tryAcquire();
      }
      settle();
    }
  }

  /** Row {@code acquire_close_burst}: one {@code close}. */
  @Benchmark
  @Row(group = Group.BURST, name = "acquire_close_burst", gateMicros = 0.5)
  public void close() {
    stubs[--leased].close();
  }
}
