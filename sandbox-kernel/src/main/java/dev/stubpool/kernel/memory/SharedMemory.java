package dev.stubpool.kernel.memory;

import dev.stubpool.Mappable;
import dev.stubpool.MemoryFile;
import dev.stubpool.StubPool;
import dev.stubpool.SystemCallException;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;

/** Shared anonymous memory, MAP_SHARED of mmap(2). It lives as long as it is mapped. */
final class SharedMemory implements Backing {
  private final MemoryBudget budget;
  private final MemoryFile file;
  private int maps;

  /**
   * Creates zeroed memory.
   *
   * @throws ErrnoException ENOMEM if the budget or the host's memory does not suffice
   */
  SharedMemory(StubPool pool, MemoryBudget budget, long size) {
    this.budget = budget;
    budget.chargeShared(size);
    try {
      file = pool.memoryFile(size);
    } catch (SystemCallException _) {
      budget.unchargeShared(size);
      throw new ErrnoException(Errno.ENOMEM);
    }
  }

  @Override
  public Mappable open(StubPool pool) {
    return file;
  }

  @Override
  public String name() {
    return "/dev/zero (deleted)";
  }

  @Override
  public void mapped(AddressMap map) {
    maps++;
  }

  @Override
  public void unmapped(AddressMap map) {
    if (--maps == 0) {
      close();
    }
  }

  /** Releases memory that was never mapped. */
  void close() {
    budget.unchargeShared(file.size());
    file.close();
  }
}
