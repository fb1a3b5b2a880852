package dev.stubpool.bench;

import dev.stubpool.AddressSpace;
import dev.stubpool.Guest;
import dev.stubpool.Protection;
import dev.stubpool.Trap;
import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import java.util.concurrent.locks.LockSupport;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * What a template pays after it was copied: a guest writes all its pages again, each of which
 * faults once, the copy being gone by then. The floor has no such row.
 */
@Fork(
    value = 1,
    jvmArgsAppend = {
      StubBenchmark.NATIVE_ACCESS,
      StubBenchmark.UNSAFE_ACCESS,
      StubBenchmark.OWN_EXECUTOR,
      StubBenchmark.GUEST_EXECUTOR
    })
public class RetouchBenchmark extends StubBenchmark {
  private static final long DATA = 0x1000_0000;
  private static final long POLL_NANOS = 50_000;

  /** Written pages. */
  @Param({"256", "2560", "25600"})
  public int pages;

  private Guest guest;

  /** Writes all pages for the first time. */
  @Setup(Level.Iteration)
  public void begin() {
    guest = GuestExecutor.guest();
    guest.memory().mapAnonymous(DATA, (long) pages * AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
    touch();
  }

  /** Makes a copy, and waits until it is like new. */
  @Setup(Level.Invocation)
  public void copy() {
    guest.stub().spawnChild().close();
    while (GuestExecutor.pool().stats().resetting() > 0) {
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  /** Row {@code spawn_retouch_PAGES}. */
  @Benchmark
  @Row(group = Group.SPAWN_CHILD, name = "spawn_retouch_{pages}", params = "pages=256,2560,25600")
  public Trap touch() {
    guest.registers().rip(GuestExecutor.TOUCH).rdi(DATA).rcx(pages);
    return guest.resume();
  }
}
