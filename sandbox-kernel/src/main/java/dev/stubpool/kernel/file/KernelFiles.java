package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.memory.MemoryBudget;

/** Shared state of all open files of a sandbox. */
public final class KernelFiles {
  private final Pipes pipes = new Pipes();
  private final EpollWatches watches = new EpollWatches();
  private final FileLocks locks = new FileLocks();
  private final FileLocks wholeLocks = new FileLocks();

  private final Storage memoryObjects;
  private long numbers;

  /** Creates the state for files whose memory is charged to a budget. */
  public KernelFiles(MemoryBudget memory) {
    memoryObjects = new Storage(memory, Long.MAX_VALUE);
  }

  /**
   * Creates a file in memory, memfd_create(2).
   *
   * @param name its name, which is not in the file tree
   */
  public OpenFile memoryObject(String name, Identity owner) {
    return MemoryObject.make(memoryObjects, name, ++numbers, owner, OpenFlags.O_RDWR);
  }

  /** The factory of pipes. */
  public Pipes pipes() {
    return pipes;
  }

  /** Creates an epoll instance, epoll_create(2). */
  public EpollFile epoll() {
    return new EpollFile(watches);
  }

  /** The locks of fcntl(2). */
  public FileLocks locks() {
    return locks;
  }

  /** The locks of flock(2), which are independent of those of fcntl(2). */
  public FileLocks wholeLocks() {
    return wholeLocks;
  }
}
