package dev.stubpool.bench;

import dev.stubpool.OnRelease;
import dev.stubpool.Stub;
import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import dev.stubpool.nativestubs.calls.Abi;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * A fresh stub for a caller of {@code acquire} on an empty pool: request, hand-over to the tracer,
 * birth, hand-over back. Stubs stay alive in groups and are killed and reaped between the timed
 * parts. Beside the floor's {@code create} and {@code create_first_injection}, which have one
 * thread and no hand-over.
 */
public class CreateBenchmark extends PoolBenchmark {
  /** The most stubs alive at once, as the floor's option of that name. */
  @Param("64")
  public int keep;

  private final List<Stub> stubs = new ArrayList<>();

  /** A pool that makes stubs only for who waits. */
  @Setup
  public void open() {
    open(0, OnRelease.DISCARD);
  }

  /** Kills a full group. */
  @Setup(Level.Invocation)
  public void makeRoom() {
    if (stubs.size() == keep) {
      stubs.forEach(Stub::close);
      stubs.clear();
      settle();
    }
  }

  /** Row {@code create}. */
  @Benchmark
  @Row(group = Group.CREATE, name = "create", floor = "create", gate = 1.5)
  public Stub create() {
    Stub stub = pool.acquire();
    stubs.add(stub);
    return stub;
  }

  /** Row {@code create_first_injection_across}: also getpid in it, asked for by the same caller. */
  @Benchmark
  @Row(
      group = Group.CREATE_FIRST_INJECTION,
      name = "create_first_injection_across",
      floor = "create_first_injection")
  public long createFirstInjection() {
    return create().syscall(Abi.SYS_getpid);
  }
}
