package dev.stubpool.bench.tracer;

import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import dev.stubpool.ptrace.Tracee;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Setup;

/** Instead of making a used stub like new: kill it, wait for its end, make another. */
public class DiscardBenchmark extends TracerBenchmark {
  private final Dirt dirt = new Dirt(own.tracer, 1);

  /** One used stub. */
  @Setup(Level.Invocation)
  public void use() {
    if (own.stubs.isEmpty()) {
      own.forgeOne();
    }
    dirt.apply(own.stubs.getLast());
  }

  /** Row {@code discard_refill}. */
  @Benchmark
  @Row(group = Group.DISCARD_REFILL, name = "discard_refill", floor = "discard_refill")
  public Tracee discardRefill() {
    own.tracer.reaper().killAndReap(own.stubs.removeLast());
    return own.forgeOne();
  }
}
