package dev.stubpool.kernel.memory;

import dev.stubpool.kernel.abi.ErrnoException;
import java.util.OptionalLong;

/**
 * The robust futexes that a thread holds when it ends, get_robust_list(2): a list in its memory,
 * which may be corrupt.
 */
public final class RobustList {
  /** The limit for entries, that of Linux. */
  private static final int MOST = 2048;

  private static final int OFFSET = 8;
  private static final int PENDING = 16;

  /** The lowest bit of a pointer: a priority-inheritance futex. */
  private static final long PRIORITY_BIT = 1;

  private static final int FUTEX_WAITERS = 0x8000_0000;
  private static final int FUTEX_OWNER_DIED = 0x4000_0000;
  private static final int FUTEX_TID_MASK = 0x3fff_ffff;

  private final UserMemory memory;
  private final AddressMap map;
  private final FutexTable futexes;
  private final int tid;

  private RobustList(UserMemory memory, AddressMap map, FutexTable futexes, int tid) {
    this.memory = memory;
    this.map = map;
    this.futexes = futexes;
    this.tid = tid;
  }

  /**
   * Marks all futexes of an ended holder's list and wakes one waiter of each. No guest in the
   * memory runs meanwhile.
   */
  public static void release(
      UserMemory memory, AddressMap map, FutexTable futexes, long head, int tid) {
    RobustList list = new RobustList(memory, map, futexes, tid);
    try {
      list.release(head);
    } catch (ErrnoException _) {
      // As in Linux, an unreadable entry ends the list.
    }
  }

  private void release(long head) {
    long current = memory.readLong(head);
    long offset = memory.readLong(head + OFFSET);
    long pending = memory.readLong(head + PENDING);
    for (int i = 0; entry(current) != head && i < MOST; i++) {
      // Read the next pointer first: the next holder changes it.
      OptionalLong next = next(current);
      if (entry(current) != entry(pending)) {
        release(current, offset, false);
      }
      if (next.isEmpty()) {
        return;
      }
      current = next.getAsLong();
    }
    if (entry(pending) != 0) {
      release(pending, offset, true);
    }
  }

  private OptionalLong next(long pointer) {
    try {
      return OptionalLong.of(memory.readLong(entry(pointer)));
    } catch (ErrnoException _) {
      return OptionalLong.empty();
    }
  }

  private static long entry(long pointer) {
    return pointer & ~PRIORITY_BIT;
  }

  /** Releases a futex. A pending one, about to be taken or released, may have no owner. */
  private void release(long pointer, long offset, boolean isPending) {
    long address = entry(pointer) + offset;
    boolean handsDown = (pointer & PRIORITY_BIT) != 0;
    FutexTable.Key key = FutexTable.key(map, address, false);
    int word;
    do {
      word = memory.readInt(address);
      int owner = word & FUTEX_TID_MASK;
      if (isPending && !handsDown && owner == 0) {
        int _ = futexes.wake(key, 1, FutexTable.ANY_BITS);
        return;
      }
      if (owner != tid) {
        return;
      }
    } while (!memory.compareAndSetInt(address, word, (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED));
    if (!handsDown && (word & FUTEX_WAITERS) != 0) {
      int _ = futexes.wake(key, 1, FutexTable.ANY_BITS);
    }
  }
}
