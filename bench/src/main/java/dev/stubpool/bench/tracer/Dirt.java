package dev.stubpool.bench.tracer;

import dev.stubpool.diagnose.Failures;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.ptrace.Tracee;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What a guest would have done to a stub: so many private pages written on each side of the image.
 */
final class Dirt {
  /** Crosses no huge page, so that the number of touched pages is exact; the floor's. */
  private static final long BELOW_IMAGE = 0x401000;

  private static final String STEP = "dirtying a stub";

  private final StopRunner tracer;
  private final long aboveImage = StubImage.get().end() + Abi.IMAGE_PAGE;
  private final MemorySegment zeros;

  Dirt(StopRunner tracer, int pages) {
    this.tracer = tracer;
    this.zeros = Arena.global().allocate((long) pages * Abi.IMAGE_PAGE);
  }

  void apply(Tracee stub) {
    if (zeros.byteSize() > 0) {
      write(stub, BELOW_IMAGE);
      write(stub, aboveImage);
    }
  }

  private void write(Tracee stub, long address) {
    long protection = Abi.PROT_READ | Abi.PROT_WRITE;
    long flags = Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS | Abi.MAP_FIXED;
    long mapped =
        tracer.inject(
            stub, Abi.SYS_mmap, address, zeros.byteSize(), protection, flags, -1, 0, STEP);
    Failures.check(mapped, "mmap", STEP);
    long written = MemoryCalls.write(stub.pid(), address, zeros);
    if (written != zeros.byteSize()) {
      throw new IllegalStateException("wrote " + written + " of " + zeros.byteSize());
    }
  }
}
