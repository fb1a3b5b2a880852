package dev.stubpool.trace;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Setup;

/** SIGKILL and reaping of one stub that has not run yet. Beside the floor's {@code kill_reap}. */
public class KillReapBenchmark extends TracerBenchmark {
  private static final int BATCH = 64;

  /** Makes victims. */
  @Setup(Level.Invocation)
  public void makeVictims() {
    if (own.stubs.isEmpty()) {
      own.forge(BATCH);
    }
  }

  /** Row {@code kill_reap}. */
  @Benchmark
  public void killReap() {
    own.tracer.killAndBury(own.stubs.removeFirst());
  }
}
