package dev.stubpool.trace;

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
  public Tracee discardRefill() {
    own.tracer.killAndBury(own.stubs.removeLast());
    return own.forgeOne();
  }
}
