package dev.stubpool.trace;

import dev.stubpool.SystemCallException;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.MemoryCalls;
import dev.stubpool.nativestubs.StubImage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * Making a used stub like new: all but the image unmapped, state reset, changes by others looked
 * for, with as many touched private pages on each side of it. Beside the floor's {@code recycle_1},
 * {@code recycle_32}, {@code recycle_512}.
 */
public class RecycleBenchmark extends TracerBenchmark {
  /** Crosses no huge page, so that the number of touched pages is exact; the floor's. */
  private static final long BELOW_IMAGE = 0x401000;

  private static final String STEP = "dirtying a stub";

  /** Touched pages on each side. */
  @Param({"1", "32", "512"})
  public int pages;

  private final long aboveImage = StubImage.get().end() + Abi.IMAGE_PAGE;
  private Tracee stub;
  private MemorySegment zeros;

  /** A stub, and something to write into it. */
  @Setup
  public void makeStub() {
    stub = own.forgeOne();
    zeros = Arena.global().allocate((long) pages * Abi.IMAGE_PAGE);
  }

  /** What a guest would have done. */
  @Setup(Level.Invocation)
  public void dirty() {
    dirty(BELOW_IMAGE);
    dirty(aboveImage);
  }

  private void dirty(long address) {
    long protection = Abi.PROT_READ | Abi.PROT_WRITE;
    long flags = Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS | Abi.MAP_FIXED;
    long mapped =
        own.tracer.inject(
            stub, Abi.SYS_mmap, address, zeros.byteSize(), protection, flags, -1, 0, STEP);
    SystemCallException.check(mapped, "mmap", STEP);
    long written = MemoryCalls.write(stub.pid(), address, zeros);
    if (written != zeros.byteSize()) {
      throw new IllegalStateException("wrote " + written + " of " + zeros.byteSize());
    }
  }

  /** Row {@code recycle_PAGES}. */
  @Benchmark
  public void recycle() {
    if (own.forge.recycle(stub) != null) {
      throw new IllegalStateException("not like new");
    }
  }
}
