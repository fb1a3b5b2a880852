package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The descriptors of a process, or of several processes that share them, CLONE_FILES of clone(2).
 * It is the owner of locks of fcntl(2).
 */
public final class DescriptorTable implements AutoCloseable {
  /** The maximum of RLIMIT_NOFILE; descriptors are lower. */
  public static final int LIMIT = 1024;

  private final TreeMap<Integer, Descriptor> open = new TreeMap<>();
  private int processes = 1;
  private int limit = LIMIT;
  private FileLocks locks;

  private record Descriptor(OpenFile file, boolean closeOnExec) {}

  /** The file of a descriptor. */
  public OpenFile get(int number) {
    return descriptor(number).file();
  }

  /** The file of a descriptor, if it has one. */
  public Optional<OpenFile> find(int number) {
    return Optional.ofNullable(open.get(number)).map(Descriptor::file);
  }

  private Descriptor descriptor(int number) {
    Descriptor descriptor = open.get(number);
    if (descriptor == null) {
      throw new ErrnoException(Errno.EBADF);
    }
    return descriptor;
  }

  /** Whether execve(2) would close a descriptor. */
  public boolean isCloseOnExec(int number) {
    return descriptor(number).closeOnExec();
  }

  /** Sets whether execve(2) closes a descriptor. */
  public void closeOnExec(int number, boolean value) {
    open.put(number, new Descriptor(get(number), value));
  }

  /** The limit for new descriptors, RLIMIT_NOFILE. */
  public int limit() {
    return limit;
  }

  /** Sets the limit, setrlimit(2); at most {@link #LIMIT}. */
  public void limit(long changed) {
    boolean isLess = Long.compareUnsigned(changed, LIMIT) < 0;
    limit = isLess ? (int) changed : LIMIT;
  }

  /** Assigns the lowest free number to a file; closes the file if there is none. */
  public int add(OpenFile file, boolean closeOnExec) {
    return add(file, closeOnExec, 0);
  }

  /** Assigns the lowest free number from {@code lowest} on to a file. */
  public int add(OpenFile file, boolean closeOnExec, int lowest) {
    file.hold();
    try {
      int number = lowest;
      for (int used : open.tailMap(lowest).keySet()) {
        if (used != number) {
          break;
        }
        number++;
      }
      if (number >= limit) {
        throw new ErrnoException(Errno.EMFILE);
      }
      put(number, file, closeOnExec);
      return number;
    } finally {
      file.release();
    }
  }

  /** Assigns a number to a file, after closing that number if it is open. */
  public void put(int number, OpenFile file, boolean closeOnExec) {
    file.hold();
    Descriptor before = open.put(number, new Descriptor(file, closeOnExec));
    if (before != null) {
      drop(before.file());
    }
  }

  /** close(2). */
  public void close(int number) {
    OpenFile file = get(number);
    open.remove(number);
    drop(file);
  }

  private void drop(OpenFile file) {
    try {
      if (locks != null) {
        locks.unlock(
            file.id(), this, 0, Long.MAX_VALUE); // also locks set through other descriptors
      }
    } finally {
      file.release(); // also if the host no longer reports the file's identity
    }
  }

  /**
   * Registers the locks that this table has, which are released when its descriptors are closed.
   */
  void has(FileLocks held) {
    locks = held;
  }

  /** Shares the table with another process, CLONE_FILES; each process closes it. */
  public DescriptorTable shared() {
    processes++;
    return this;
  }

  /** Copies the table, fork(2). */
  public DescriptorTable copy() {
    DescriptorTable copy = new DescriptorTable();
    copy.limit = limit;
    open.forEach(
        (number, descriptor) -> copy.put(number, descriptor.file(), descriptor.closeOnExec()));
    return copy;
  }

  /** An unshared table, unshare(2): this one if it is not shared, else a copy. */
  public DescriptorTable unshared() {
    if (processes == 1) {
      return this;
    }
    processes--;
    return copy();
  }

  /** Closes the descriptors that execve(2) closes. */
  public void exec() {
    for (int number : numbers()) {
      if (isCloseOnExec(number)) {
        close(number);
      }
    }
  }

  /** The numbers in use, ascending. */
  public Collection<Integer> numbers() {
    return List.copyOf(open.keySet());
  }

  /** Closes all descriptors, unless another process shares the table. */
  @Override
  public void close() {
    if (--processes == 0) {
      if (locks != null) {
        locks.unlockAll(this);
        locks = null;
      }
      numbers().forEach(this::close);
    }
  }
}
