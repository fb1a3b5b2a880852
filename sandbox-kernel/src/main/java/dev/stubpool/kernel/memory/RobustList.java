package dev.stubpool.kernel.memory;

import dev.stubpool.kernel.abi.ErrnoException;
import java.util.OptionalLong;

/**
 * Futexes that a thread holds when it ends, get_robust_list(2): a list in its memory, which may be
 * anything by then.
 */
public final class RobustList {
  /** As many as Linux follows. */
  private static final int MOST = 2048;

  private static final int OFFSET = 8;
  private static final int PENDING = 16;

  /** The lowest bit of a pointer: the futex hands down priorities. */
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
   * Marks all futexes in a list whose holder has ended, and wakes one who waits for each. No guest
   * in the memory runs meanwhile.
   */
  public static void release(
      UserMemory memory, AddressMap map, FutexTable futexes, long head, int tid) {
    RobustList list = new RobustList(memory, map, futexes, tid);
    try {
      list.release(head);
    } catch (ErrnoException _) {
      // As Linux does: what cannot be read ends the list.
    }
  }

  private void release(long head) {
    long current = memory.readLong(head);
    long offset = memory.readLong(head + OFFSET);
    long pending = memory.readLong(head + PENDING);
    for (int i = 0; entry(current) != head && i < MOST; i++) {
      // First: who gets the futex makes it an entry of another list.
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

  /** Releases one futex; of one that was about to be taken or given up, nobody may be the owner. */
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
