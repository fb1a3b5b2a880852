package dev.stubpool.memory;

import dev.stubpool.StubPoolException;
import dev.stubpool.SystemCallException;
import dev.stubpool.UnsupportedMachineException;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.FileCalls;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jctools.queues.varhandle.MpmcVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * The {@value #SIZE} consecutive descriptor numbers that stubs may map.
 *
 * <p>Stubs share the JVM's descriptor table, so a filter that allowed them to map any descriptor
 * would give a compromised stub every file that the JVM has open. The filter allows only these
 * numbers. They hold placeholders that cannot be mapped (O_PATH: mmap(2) fails with EBADF). A file
 * replaces a placeholder only during the call that maps it. During that call a compromised stub
 * could map the file too, with the access that the file was opened with.
 *
 * <p>All pools of a JVM share one row of numbers, which is part of their stubs' filters. It is
 * reserved when the first pool opens, and closed when the last pool has closed and its stubs are
 * dead. The next pool may get another row.
 */
public final class MappableWindow implements AutoCloseable {
  private static final int SIZE = 256;

  /**
   * The highest first number of the row, unless there is room only above. The kernel's descriptor
   * table is as long as the highest number requires, and growing it takes an RCU grace period (10
   * ms once at 16,384).
   */
  private static final int HIGHEST_FIRST = 16_384 - SIZE;

  /** The reserved row, or null if no window is open. Guarded by this class's monitor. */
  private static @Nullable Row shared;

  /** How many windows are open on the row. Guarded by this class's monitor. */
  private static int users;

  private final Row row;
  private final AtomicBoolean closed = new AtomicBoolean();

  private MappableWindow(Row row) {
    this.row = row;
  }

  /**
   * Opens the window, to be closed when all stubs whose filter allows its numbers are dead.
   *
   * @throws UnsupportedMachineException if there are not enough consecutive free descriptors
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

  /** Closes the descriptors if no other window is open. Idempotent. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      synchronized (MappableWindow.class) {
        users--;
        if (users == 0) {
          row.retire();
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

  /** How many numbers are not in use at the moment; 0 once the descriptors are closed. */
  public int freeSlots() {
    return row.free.size();
  }

  /** A call that maps the file at a descriptor number. */
  @FunctionalInterface
  public interface MappingCall {
    /** Makes the call; {@code descriptor} holds the file until it returns. */
    long at(int descriptor);
  }

  /**
   * Duplicates {@code fd} into the window for the duration of a call.
   *
   * @param step what is being done, for error messages
   * @return the result of {@code call}
   * @throws StubPoolException if all numbers are in use, or the descriptors are closed
   * @throws SystemCallException if {@code fd} is not open
   */
  public long during(int fd, String step, MappingCall call) {
    return row.during(fd, step, call);
  }

  /** The consecutive numbers of one reservation. */
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
        throw Failures.make()
            .other(
                retired
                    ? "the mappable descriptors are closed, since no pool is open, while " + step
                    : "all "
                        + SIZE
                        + " mappable descriptors are in use while "
                        + step
                        + "; try again");
      }
      try {
        Failures.check(FileCalls.duplicateOnto(fd, slot), "dup3", step);
        try {
          return call.at(slot);
        } finally {
          // Replaces an open descriptor by another, which cannot fail.
          Failures.check(FileCalls.duplicateOnto(placeholder, slot), "dup3", step);
        }
      } finally {
        free.add(slot);
        if (retired) {
          closeFree();
        }
      }
    }

    /** Closes the free descriptors. A call that still uses one closes it when it returns. */
    void retire() {
      retired = true;
      closeFree();
    }

    private void closeFree() {
      Integer slot;
      while ((slot = free.poll()) != null) {
        FileCalls.close(slot);
        if (open.decrementAndGet() == 0) {
          FileCalls.close(placeholder); // all calls have returned, and no others can begin
        }
      }
    }
  }

  /** Reserves the highest row that begins at or below {@link #HIGHEST_FIRST}, else the lowest. */
  private static Row reserve() {
    String step = "reserving the window of mappable descriptors";
    long limit = FileCalls.softLimit();
    int path = (int) Failures.check(FileCalls.open("/", Abi.O_PATH, 0), "openat", step);
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
    throw Failures.make()
        .unsupported(
            "no "
                + SIZE
                + " free descriptors in a row below the limit of "
                + limit
                + " (fcntl(F_DUPFD_CLOEXEC)); raise it: ulimit -n "
                + Math.max(4096, limit * 2));
  }

  /**
   * Duplicates {@code path} onto the numbers from {@code first} on. F_DUPFD_CLOEXEC takes the
   * lowest free number at or above the one asked for. If it takes another, or none (EMFILE), the
   * number asked for is in use.
   *
   * @return -1 if the row is claimed, else a number of it that is in use; nothing is claimed then
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
