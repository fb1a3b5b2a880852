package dev.stubpool.bench;

import dev.stubpool.OnRelease;
import dev.stubpool.Stub;
import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Leasing idle stubs, which makes no system call; many at a time, for one takes no longer than
 * reading the clock does. They are given back between the timed parts. The floor has no such row.
 */
public class WarmBenchmark extends PoolBenchmark {
  private static final int IDLE = 256;

  private final Stub[] stubs = new Stub[IDLE];

  /** A pool with enough idle stubs. */
  @Setup
  public void open() {
    open(IDLE, OnRelease.RECYCLE);
    awaitIdle(IDLE);
  }

  /** Row {@code acquire_warm}: one {@code tryAcquire}. */
  @Benchmark
  @OperationsPerInvocation(IDLE)
  @Row(group = Group.ACQUIRE, name = "acquire_warm", gateMicros = 0.2)
  public Stub[] acquireWarm() {
    for (int i = 0; i < IDLE; i++) {
      stubs[i] = pool.tryAcquire();
    }
    return stubs;
  }

  /** Gives all back and waits until they are idle again. */
  @TearDown(Level.Invocation)
  public void release() {
    for (Stub stub : stubs) {
      stub.close(); // null if the pool had fewer: that is to be seen
    }
    settle();
  }
}
