package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.memory.MemoryBudget;

/** What the open files of one sandbox have in common. */
public final class KernelFiles {
  private final Pipes pipes = new Pipes();
  private final EpollWatches watches = new EpollWatches();
  private final FileLocks locks = new FileLocks();
  private final FileLocks wholeLocks = new FileLocks();

  private final Storage memoryObjects;
  private long numbers;

  /** Of files whose memory is taken from a budget. */
  public KernelFiles(MemoryBudget memory) {
    memoryObjects = new Storage(memory, Long.MAX_VALUE);
  }

  /**
   * Makes a file in memory, memfd_create(2).
   *
   * @param name what it is called, though not among the other files
   */
  public OpenFile memoryObject(String name, Identity owner) {
    return MemoryObject.make(memoryObjects, name, ++numbers, owner, OpenFlags.O_RDWR);
  }

  /** Its pipes. */
  public Pipes pipes() {
    return pipes;
  }

  /** Makes an epoll file, epoll_create(2). */
  public EpollFile epoll() {
    return new EpollFile(watches);
  }

  /** Locks of fcntl(2). */
  public FileLocks locks() {
    return locks;
  }

  /** Locks of flock(2), which know nothing of the others. */
  public FileLocks wholeLocks() {
    return wholeLocks;
  }
}
