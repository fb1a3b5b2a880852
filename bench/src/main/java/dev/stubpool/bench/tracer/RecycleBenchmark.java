package dev.stubpool.bench.tracer;

import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import dev.stubpool.ptrace.Tracee;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * Making a used stub like new: all but the image unmapped, all state reset, changes by others
 * looked for. Beside the floor's {@code recycle_1}, {@code recycle_32}, {@code recycle_512}.
 */
public class RecycleBenchmark extends TracerBenchmark {
  /** Written pages on each side of the image. */
  @Param({"1", "32", "512"})
  public int pages;

  private Dirt dirt;
  private Tracee stub;

  /** A stub, and something to write into it. */
  @Setup
  public void makeStub() {
    dirt = new Dirt(own.tracer, pages);
    stub = own.forgeOne();
  }

  /** What a guest would have done. */
  @Setup(Level.Invocation)
  public void use() {
    dirt.apply(stub);
  }

  /** Row {@code recycle_PAGES}. */
  @Benchmark
  @Row(
      group = Group.RECYCLE,
      name = "recycle_{pages}",
      floor = "recycle_{pages}",
      gate = 1.3,
      params = "pages=1,32,512")
  public void recycle() {
    String changed = own.forge.recycle(stub);
    if (changed != null) {
      throw new IllegalStateException(changed);
    }
  }
}
