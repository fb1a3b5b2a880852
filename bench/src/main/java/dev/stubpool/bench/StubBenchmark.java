package dev.stubpool.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** How all benchmarks are run: single calls are timed, for the p50 is what is compared. */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {StubBenchmark.NATIVE_ACCESS, StubBenchmark.UNSAFE_ACCESS})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 2, time = 1)
public abstract class StubBenchmark {
  // Options of the JVMs that JMH forks. An @Fork of a subclass replaces the one above.

  static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";

  /** For JMH itself. */
  static final String UNSAFE_ACCESS = "--sun-misc-unsafe-memory-access=allow";

  /** Workers are run by the class that another option names. */
  static final String OWN_EXECUTOR = "-Djmh.executor=CUSTOM";

  static final String GUEST_EXECUTOR = "-Djmh.executor.class=dev.stubpool.bench.GuestExecutor";

  static final String TRACER_EXECUTOR = "-Djmh.executor.class=dev.stubpool.bench.TracerExecutor";
}
