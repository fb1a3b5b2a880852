package dev.stubpool.bench.tracer;

import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
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
  @Row(group = Group.KILL_REAP, name = "kill_reap", floor = "kill_reap")
  public void killReap() {
    own.tracer.reaper().killAndReap(own.stubs.removeFirst());
  }
}
