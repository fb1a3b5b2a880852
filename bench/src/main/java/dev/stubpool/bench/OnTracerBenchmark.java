package dev.stubpool.bench;

import dev.stubpool.AddressSpace;
import dev.stubpool.Protection;
import dev.stubpool.Stub;
import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import dev.stubpool.nativestubs.calls.Abi;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/**
 * Calls of the public API on the tracer thread itself. Beside the floor's {@code injection} and
 * {@code map_page}.
 */
@Fork(
    value = 1,
    jvmArgsAppend = {
      StubBenchmark.NATIVE_ACCESS,
      StubBenchmark.UNSAFE_ACCESS,
      StubBenchmark.OWN_EXECUTOR,
      StubBenchmark.TRACER_EXECUTOR
    })
public class OnTracerBenchmark extends StubBenchmark {
  private static final long ADDRESS = 0x10000000;

  private final Stub stub = TracerExecutor.STUB;

  /** Row {@code injection}: getpid. */
  @Benchmark
  @Row(group = Group.INJECTION, name = "injection", floor = "injection", gate = 1.2)
  public long injection() {
    return stub.syscall(Abi.SYS_getpid);
  }

  /** Row {@code map_page}: half of mapping and unmapping a page that is not touched. */
  @Benchmark
  @OperationsPerInvocation(2)
  @Row(group = Group.MAP_PAGE, name = "map_page", floor = "map_page")
  public void mapPage() {
    stub.memory().mapAnonymous(ADDRESS, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
    stub.memory().unmap(ADDRESS, AddressSpace.PAGE_SIZE);
  }
}
