package dev.stubpool.bench.tracer;

import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.ptrace.Tracee;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * Births on the tracer itself. Stubs stay alive in groups and are killed and reaped between the
 * timed parts. Beside the floor's rows of the same names.
 */
public class ForgeBenchmark extends TracerBenchmark {
  private static final int BATCH = 64;

  /** The most stubs alive at once, as the floor's option of that name. */
  @Param("64")
  public int keep;

  /** Kills a full group. */
  @Setup(Level.Invocation)
  public void makeRoom() {
    if (own.stubs.size() >= keep) {
      own.killAll();
    }
  }

  /** Row {@code create_on_tracer}: {@code create} of the floor without the pool's hand-over. */
  @Benchmark
  @Row(group = Group.CREATE, name = "create_on_tracer", floor = "create")
  public Tracee create() {
    return own.forgeOne();
  }

  /** Row {@code create_first_injection}: also getpid in it, by the routine that arms its end. */
  @Benchmark
  @Row(
      group = Group.CREATE_FIRST_INJECTION,
      name = "create_first_injection",
      floor = "create_first_injection")
  public long createFirstInjection() {
    return own.tracer.inject(
        own.forgeOne(), Abi.SYS_getpid, 0, 0, 0, 0, 0, 0, "the first injection");
  }

  /** Row {@code create_batch}: a stub of 64 made in one injection. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  @Row(group = Group.CREATE_BATCH, name = "create_batch", floor = "create_batch", gate = 1.3)
  public void createBatch() {
    own.forge(BATCH);
  }
}
