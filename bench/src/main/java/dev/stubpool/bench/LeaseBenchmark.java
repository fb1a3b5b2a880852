package dev.stubpool.bench;

import dev.stubpool.AddressSpace;
import dev.stubpool.OnRelease;
import dev.stubpool.Protection;
import dev.stubpool.Stub;
import dev.stubpool.bench.report.Figure;
import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Leases that are used, one after the other: acquire, map a page, write to it, close. What comes
 * out is the rate of the pool as a whole, for the tracer makes stubs like new while callers go on.
 * Beside the floor's {@code lease_1}, which does the kernel's share of a cycle on one thread.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
public class LeaseBenchmark extends PoolBenchmark {
  private static final long ADDRESS = 0x401000;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final MemorySegment word = Arena.global().allocate(Long.BYTES, Long.BYTES);

  /** A pool with idle stubs. */
  @Setup
  public void open() {
    open(16, OnRelease.RECYCLE);
  }

  /** Row {@code lease_1}. */
  @Benchmark
  // The mean of three threads and of the compilers, all on one CPU: it takes longer to warm up.
  @Row(
      group = Group.LEASE,
      name = "lease_1",
      floor = "lease_1",
      gate = 1.25,
      mode = Mode.Throughput,
      warmups = 10,
      figure = Figure.MEAN,
      floorFigure = Figure.MEAN)
  public void cycle() {
    try (Stub stub = pool.acquire(PATIENCE)) {
      stub.memory().mapAnonymous(ADDRESS, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
      stub.memory().write(ADDRESS, word);
    }
  }
}
