package dev.stubpool.filter;

import dev.stubpool.StubPoolException;
import dev.stubpool.SystemCallException;
import dev.stubpool.UnsupportedMachineException;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.FileCalls;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jctools.queues.varhandle.MpmcVarHandleArrayQueue;

/**
 * The descriptor numbers that stubs may map, {@value #SIZE} in a row.
 *
 * <p>Stubs share the JVM's descriptor table, so a filter that let them map any descriptor would
 * give a compromised stub every file the JVM has open. It lets them map these numbers, which hold
 * placeholders that cannot be mapped (O_PATH: mmap(2) fails with EBADF); a file takes a
 * placeholder's place only while the call that maps it is made. For that instant a compromised stub
 * could map it too, with the access that it was opened with.
 *
 * <p>All pools of a JVM share one row of numbers, which the filters of their stubs name. It is
 * reserved when the first pool opens, and given back when the last one has closed: its stubs are
 * dead then. The next pool may get another row.
 */
public final class MappableWindow implements AutoCloseable {
  private static final int SIZE = 256;

  /**
   * Where the row begins at most, if there is room below: the kernel's table of descriptors is as
   * long as the highest number requires, and making it longer takes as long as an RCU grace period
   * (10 ms once at 16,384).
   */
  private static final int HIGHEST_FIRST = 16_384 - SIZE;

  /** The row that is reserved, or null; guarded by this class. */
  private static Row shared;

  /** How many windows are open on it; guarded by this class. */
  private static int users;

  private final Row row;
  private final AtomicBoolean closed = new AtomicBoolean();

  private MappableWindow(Row row) {
    this.row = row;
  }

  /**
   * Opens the window, to be closed when no stub whose filter names it lives any more.
   *
   * @throws UnsupportedMachineException if there is no such row of free descriptors
   */
  public static MappableWindow open() {
    synchronized (MappableWindow.class) {
      if (shared == null) {
        shared = reserve();
      }
      users++;
      return new MappableWindow(shared);
    }
  }

  /** Gives the descriptors back if no other window is open. Idempotent. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      synchronized (MappableWindow.class) {
        users--;
        if (users == 0) {
          shared.retire();
          shared = null;
        }
      }
    }
  }

  /** The lowest number of the window. */
  public int first() {
    return row.first;
  }

  /** The highest number of the window. */
  public int last() {
    return row.first + SIZE - 1;
  }

  /** How many numbers are not in use at the moment; 0 once they are given back. */
  public int freeSlots() {
    return row.free.size();
  }

  /** A call that maps what is at a descriptor number. */
  @FunctionalInterface
  public interface MappingCall {
    /** Makes the call; {@code descriptor} is valid until it returns. */
    long at(int descriptor);
  }

  /**
   * Puts {@code fd} into the window for the length of a call.
   *
   * @throws StubPoolException if all numbers are in use, or given back
   * @throws SystemCallException if {@code fd} is not open
   */
  public long during(int fd, String step, MappingCall call) {
    return row.during(fd, step, call);
  }

  /** The numbers of one reservation. */
  private static final class Row {
    final int first;
    final MpmcVarHandleArrayQueue<Integer> free = new MpmcVarHandleArrayQueue<>(SIZE);
    private final int placeholder;
    private final AtomicInteger open = new AtomicInteger(SIZE);
    private volatile boolean retired;

    Row(int first, int placeholder) {
      this.first = first;
      this.placeholder = placeholder;
      for (int slot = first; slot < first + SIZE; slot++) {
        free.add(slot);
      }
    }

    long during(int fd, String step, MappingCall call) {
      Integer slot = free.poll();
      if (slot == null) {
        throw new StubPoolException(
            retired
                ? "the mappable descriptors were given back, as no pool is open, while " + step
                : "all " + SIZE + " mappable descriptors are in use while " + step + "; try again");
      }
      try {
        SystemCallException.check(FileCalls.duplicateOnto(fd, slot), "dup3", step);
        try {
          return call.at(slot);
        } finally {
          // Onto an open number of this table: nothing that can fail.
          SystemCallException.check(FileCalls.duplicateOnto(placeholder, slot), "dup3", step);
        }
      } finally {
        free.add(slot);
        if (retired) {
          closeFree();
        }
      }
    }

    /** Closes the free numbers. A call that still uses one closes it when it returns. */
    void retire() {
      retired = true;
      closeFree();
    }

    private void closeFree() {
      Integer slot;
      while ((slot = free.poll()) != null) {
        FileCalls.close(slot);
        if (open.decrementAndGet() == 0) {
          FileCalls.close(placeholder); // no call can need it any more
        }
      }
    }
  }

  /** The highest row up to {@link #HIGHEST_FIRST} where there is one, else the lowest above. */
  private static Row reserve() {
    String step = "reserving the window of mappable descriptors";
    long limit = FileCalls.softLimit();
    int path = (int) SystemCallException.check(FileCalls.open("/", Abi.O_PATH, 0), "openat", step);
    int first = (int) Math.min(limit - SIZE, HIGHEST_FIRST);
    while (first >= 0) {
      int taken = claim(path, first);
      if (taken < 0) {
        return new Row(first, path);
      }
      first = taken - SIZE;
    }
    first = HIGHEST_FIRST + 1;
    while (first <= limit - SIZE) {
      int taken = claim(path, first);
      if (taken < 0) {
        return new Row(first, path);
      }
      first = taken + 1;
    }
    FileCalls.close(path);
    throw new UnsupportedMachineException(
        "no "
            + SIZE
            + " free descriptors in a row below the limit of "
            + limit
            + " (fcntl(F_DUPFD_CLOEXEC)); raise it: ulimit -n "
            + Math.max(4096, limit * 2));
  }

  /**
   * Makes the numbers from {@code first} on copies of {@code path}. F_DUPFD_CLOEXEC takes the
   * lowest free number from the one that is asked for: if that is another, or none (EMFILE), the
   * one asked for is somebody else's.
   *
   * @return -1, or a number of the row that is somebody else's; nothing is claimed then
   */
  private static int claim(int path, int first) {
    for (int wanted = first; wanted < first + SIZE; wanted++) {
      long slot = FileCalls.duplicateAbove(path, wanted);
      if (slot != wanted) {
        if (slot >= 0) {
          FileCalls.close((int) slot);
        }
        for (int claimed = first; claimed < wanted; claimed++) {
          FileCalls.close(claimed);
        }
        return wanted;
      }
    }
    return -1;
  }
}
