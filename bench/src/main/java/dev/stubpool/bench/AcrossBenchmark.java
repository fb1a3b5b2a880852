package dev.stubpool.bench;

import dev.stubpool.OnRelease;
import dev.stubpool.Stub;
import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import dev.stubpool.nativestubs.calls.Abi;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Setup;

/**
 * What a caller on another thread than the tracer's pays. Beside the floor's {@code injection},
 * which has no hand-over.
 */
public class AcrossBenchmark extends PoolBenchmark {
  private Stub stub;

  /** A pool with one stub to inject into, and one to lease. */
  @Setup
  public void open() {
    open(0, OnRelease.RECYCLE);
    stub = pool.acquire();
    pool.acquire().close();
  }

  /** Leaves the tracer with nothing to do, and the stub back in the pool. */
  @Setup(Level.Invocation)
  public void quiet() {
    settle();
  }

  /** Row {@code injection_across}: getpid; the caller parks. */
  @Benchmark
  @Row(group = Group.INJECTION, name = "injection_across", floor = "injection")
  public long injection() {
    return stub.syscall(Abi.SYS_getpid);
  }

  /** Row {@code acquire_close}: a lease of an idle stub and its end, which wakes the tracer. */
  @Benchmark
  @Row(group = Group.ACQUIRE, name = "acquire_close")
  public void acquireClose() {
    pool.tryAcquire().close(); // null if none were idle: that is to be seen
  }
}
