package dev.stubpool.bench.tracer;

import dev.stubpool.bench.StubBenchmark;
import org.openjdk.jmh.annotations.TearDown;

/** Benchmarks whose own thread is the tracer: JMH makes their state on it. */
public abstract class TracerBenchmark extends StubBenchmark {
  final OwnTracer own = new OwnTracer();

  /** Kills and reaps all stubs. */
  @TearDown
  public void end() {
    own.close();
  }
}
