package dev.stubpool.lease;

import dev.stubpool.AddressSpace;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.FileCalls;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.calls.NativeAccess;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The memory of a pool's {@link LeaseTable}: a memfd. Other processes of the same user find it in
 * /proc/PID/fd and can read it. It can be written only through the mapping that is made here
 * (F_SEAL_FUTURE_WRITE, Linux 5.1).
 */
public final class LeaseFile implements AutoCloseable {
  private final LeaseTable table;
  private final int fd;
  private final AtomicBoolean closed = new AtomicBoolean();

  private LeaseFile(LeaseTable table, int fd) {
    this.table = table;
    this.fd = fd;
  }

  /**
   * Makes an empty lease table. If the pool is not inspectable, its descriptor is closed at once.
   *
   * @param filterLength of the stubs' seccomp filter, in instructions
   * @throws dev.stubpool.SystemCallException if the kernel refuses the memory
   */
  public static LeaseFile create(StubPoolOptions options, int filterLength) {
    String step = "making the lease table of pool " + options.name();
    long page = AddressSpace.PAGE_SIZE;
    long size = Math.ceilDiv(LeaseTable.bytes(options.maxStubs()), page) * page;
    int fd =
        (int) Failures.check(MemoryCalls.memoryFile(LeaseLayout.FILE_NAME), "memfd_create", step);
    try {
      Failures.check(MemoryCalls.resize(fd, size), "ftruncate", step);
      LeaseFile file = new LeaseFile(map(options, filterLength, fd, size, step), fd);
      if (!options.inspectable()) {
        file.close();
      }
      return file;
    } catch (RuntimeException | Error e) {
      FileCalls.close(fd);
      throw e;
    }
  }

  /**
   * Maps the memory until the table is garbage: handles of leases outlive the pool, and read it.
   */
  private static LeaseTable map(
      StubPoolOptions options, int filterLength, int fd, long size, String step) {
    long address = Failures.check(MemoryCalls.mapFile(fd, size), "mmap", step);
    MemorySegment memory;
    try {
      Failures.check(
          MemoryCalls.seal(fd, Abi.SEALS_OF_PUBLISHED_MEMORY), "fcntl(F_ADD_SEALS)", step);
      memory =
          NativeAccess.view(address, size, Arena.ofAuto(), () -> MemoryCalls.unmap(address, size));
    } catch (RuntimeException | Error e) {
      MemoryCalls.unmap(address, size);
      throw e;
    }
    // From here on the arena of the view unmaps the memory.
    return new LeaseTable(
        memory, options.name(), options.maxStubs(), ProcessCalls.pid(), filterLength);
  }

  /** The table in this memory. */
  public LeaseTable table() {
    return table;
  }

  /** Closes the descriptor: no other process finds the memory any more. Idempotent. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      FileCalls.close(fd);
    }
  }
}
