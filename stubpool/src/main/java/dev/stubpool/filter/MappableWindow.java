package dev.stubpool.filter;

import dev.stubpool.StubPoolException;
import dev.stubpool.SystemCallException;
import dev.stubpool.UnsupportedMachineException;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.Errno;
import dev.stubpool.nativestubs.FileCalls;
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
 * <p>One window a JVM, taken at the first open and never given back: the filter of every stub has
 * its numbers.
 */
public final class MappableWindow {
  private static final int SIZE = 256;

  /** Above this the kernel must grow the shared table at every step (10 ms once at 16,384). */
  private static final int HIGHEST_FIRST = 16_384;

  private static MappableWindow instance;

  private final int first;
  private final int placeholder;
  private final MpmcVarHandleArrayQueue<Integer> free = new MpmcVarHandleArrayQueue<>(SIZE);

  private MappableWindow(int first, int placeholder) {
    this.first = first;
    this.placeholder = placeholder;
    for (int slot = first; slot < first + SIZE; slot++) {
      free.add(slot);
    }
  }

  /**
   * The window of this JVM.
   *
   * @throws UnsupportedMachineException if there is no such row of free descriptors
   */
  public static synchronized MappableWindow get() {
    if (instance == null) {
      instance = take();
    }
    return instance;
  }

  /** The lowest number of the window. */
  public int first() {
    return first;
  }

  /** The highest number of the window. */
  public int last() {
    return first + SIZE - 1;
  }

  /** How many numbers are not in use at the moment. */
  public int freeSlots() {
    return free.size();
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
   * @throws StubPoolException if all numbers are in use
   * @throws SystemCallException if {@code fd} is not open
   */
  public long during(int fd, String step, MappingCall call) {
    Integer slot = free.poll();
    if (slot == null) {
      throw new StubPoolException(
          "all " + SIZE + " mappable descriptors are in use while " + step + "; try again");
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
    }
  }

  private static MappableWindow take() {
    String step = "reserving the window of mappable descriptors";
    long limit = FileCalls.softLimit();
    int lowest = (int) Math.min(limit * 3 / 4, HIGHEST_FIRST);
    int path = (int) SystemCallException.check(FileCalls.open("/", Abi.O_PATH, 0), "openat", step);
    int next = lowest;
    int start = lowest;
    // F_DUPFD takes the lowest free number: a gap in what it gives is somebody's descriptor, and
    // the row begins behind it.
    while (next - start < SIZE) {
      long slot = FileCalls.duplicateAbove(path, next);
      if (slot < 0) {
        giveBack(start, next);
        FileCalls.close(path);
        throw noWindow((int) -slot, lowest, limit);
      }
      if (slot != next) {
        giveBack(start, next);
        start = (int) slot;
      }
      next = (int) slot + 1;
    }
    return new MappableWindow(start, path);
  }

  private static void giveBack(int from, int to) {
    for (int slot = from; slot < to; slot++) {
      FileCalls.close(slot);
    }
  }

  private static StubPoolException noWindow(int errno, int lowest, long limit) {
    return new UnsupportedMachineException(
        "no "
            + SIZE
            + " free descriptors in a row from "
            + lowest
            + " up to the limit of "
            + limit
            + " (fcntl(F_DUPFD_CLOEXEC): "
            + Errno.name(errno)
            + "); raise it: ulimit -n "
            + Math.max(4096, limit * 2));
  }
}
