package dev.stubpool;

import dev.stubpool.lease.LeaseLayout;
import dev.stubpool.lease.LeaseTable;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.FileCalls;
import dev.stubpool.nativestubs.MemoryCalls;
import dev.stubpool.nativestubs.NativeAccess;
import dev.stubpool.nativestubs.ProcessCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The memory of a pool's {@link LeaseTable}: a memfd that other processes of this user find in
 * /proc/PID/fd and can read, and that nobody but the mapping made here can write
 * (F_SEAL_FUTURE_WRITE, Linux 5.1).
 */
final class LeaseFile implements AutoCloseable {
  private final LeaseTable table;
  private final int fd;
  private final AtomicBoolean closed = new AtomicBoolean();

  private LeaseFile(LeaseTable table, int fd) {
    this.table = table;
    this.fd = fd;
  }

  static LeaseFile create(StubPoolOptions options, int filterLength) {
    String step = "making the lease table of pool " + options.name();
    long page = AddressSpace.PAGE_SIZE;
    long size = Math.ceilDiv(LeaseTable.bytes(options.maxStubs()), page) * page;
    int fd =
        (int)
            SystemCallException.check(
                MemoryCalls.memoryFile(LeaseLayout.FILE_NAME), "memfd_create", step);
    try {
      SystemCallException.check(MemoryCalls.resize(fd, size), "ftruncate", step);
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

  /** The mapping stays as long as any handle may look into it: handles outlive the pool. */
  private static LeaseTable map(
      StubPoolOptions options, int filterLength, int fd, long size, String step) {
    long address = SystemCallException.check(MemoryCalls.mapFile(fd, size), "mmap", step);
    MemorySegment memory;
    try {
      SystemCallException.check(
          MemoryCalls.seal(fd, Abi.SEALS_OF_PUBLISHED_MEMORY), "fcntl(F_ADD_SEALS)", step);
      memory =
          NativeAccess.view(address, size, Arena.ofAuto(), () -> MemoryCalls.unmap(address, size));
    } catch (RuntimeException | Error e) {
      MemoryCalls.unmap(address, size);
      throw e;
    }
    // From here on the arena unmaps it.
    return new LeaseTable(
        memory, options.name(), options.maxStubs(), ProcessCalls.pid(), filterLength);
  }

  LeaseTable table() {
    return table;
  }

  /** Nobody else finds it any more. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      FileCalls.close(fd);
    }
  }
}
