package dev.stubpool.bench;

import dev.stubpool.AddressSpace;
import dev.stubpool.OnRelease;
import dev.stubpool.Protection;
import dev.stubpool.Stub;
import dev.stubpool.Trap;
import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import java.time.Duration;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;

/** Guests that make one call each, of a caller who is neither tracer. */
public class GuestRunBenchmark extends PoolBenchmark {
  private static final long CODE = 0x10_0000;
  private static final byte[] CALL = {0x0f, 0x05};
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private Stub stub;

  /** A pool with idle stubs, and one that is loaded. */
  @Setup
  public void open() {
    open(16, OnRelease.RECYCLE);
    stub = pool.acquire(PATIENCE);
    load(stub);
  }

  private static void load(Stub stub) {
    stub.memory().mapAnonymous(CODE, AddressSpace.PAGE_SIZE, Protection.READ_WRITE_EXECUTE);
    stub.memory().write(CODE, CALL);
  }

  /** Row {@code guest_run}: a thread is made, handed over, run to its first call, ended. */
  @Benchmark
  @Row(group = Group.GUEST, name = "guest_run", floor = "guest_run")
  public Trap run() {
    return runToFirstCall(stub);
  }

  /** Row {@code guest_lease}: the whole life of a small guest, acquire and close included. */
  @Benchmark
  @Row(group = Group.GUEST, name = "guest_lease")
  public Trap lease() {
    try (Stub fresh = pool.acquire(PATIENCE)) {
      load(fresh);
      return runToFirstCall(fresh);
    }
  }

  private static Trap runToFirstCall(Stub stub) {
    return stub.run(
        guest -> {
          guest.registers().rip(CODE);
          return guest.resume();
        });
  }
}
