package dev.stubpool.kernel.memory;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.sync.WaitQueue;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The waiters for futexes, in FIFO order, futex(2). */
public final class FutexTable {
  /** The bit set that matches all waiters. */
  public static final int ANY_BITS = -1;

  private final Map<Key, Set<Wait>> waits = new HashMap<>();

  /**
   * The identity of a futex word, independent of its address in a process.
   *
   * @param memory an {@link AddressMap} for private futexes, or a {@link Backing}
   * @param offset the address or offset in it
   */
  public record Key(Object memory, long offset) {}

  /** A waiter, until it is woken or stops waiting. */
  public static final class Wait {
    private final WaitQueue queue = new WaitQueue();
    private final int bits;
    private Key key;

    private Wait(Key key, int bits) {
      this.key = key;
      this.bits = bits;
    }

    /** The queue that is woken with this waiter. */
    public WaitQueue queue() {
      return queue;
    }

    /** Whether it was woken. */
    public boolean isWoken() {
      return key == null;
    }
  }

  /**
   * The key of a word.
   *
   * @param isPrivate whether only threads with the same address map share the futex,
   *     FUTEX_PRIVATE_FLAG
   * @throws ErrnoException EINVAL if the word is not aligned, EFAULT if it is not mapped
   */
  public static Key key(AddressMap map, long address, boolean isPrivate) {
    if (address % Integer.BYTES != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (!map.isUser(address, Integer.BYTES)) {
      throw new ErrnoException(Errno.EFAULT);
    }
    if (isPrivate) {
      return new Key(map, address);
    }
    Region region = map.find(address);
    if (region == null) {
      throw new ErrnoException(Errno.EFAULT);
    }
    return region.isShared()
        ? new Key(region.backing(), region.offsetOf(address))
        : new Key(map, address);
  }

  /** Adds a waiter; the caller must {@link #end} it. */
  public Wait begin(Key key, int bits) {
    Wait wait = new Wait(key, bits);
    add(wait);
    return wait;
  }

  /** Removes a waiter, woken or not. */
  public void end(Wait wait) {
    if (!wait.isWoken()) {
      remove(wait);
    }
  }

  private void add(Wait wait) {
    waits.computeIfAbsent(wait.key, _ -> new LinkedHashSet<>()).add(wait);
  }

  private void remove(Wait wait) {
    Set<Wait> others = waits.get(wait.key);
    others.remove(wait);
    if (others.isEmpty()) {
      waits.remove(wait.key);
    }
  }

  private List<Wait> of(Key key) {
    return List.copyOf(waits.getOrDefault(key, Set.of()));
  }

  private void wake(Wait wait) {
    remove(wait);
    wait.key = null;
    wait.queue.wakeAll();
  }

  /**
   * Wakes waiters of a word.
   *
   * @param most the most to wake; at least one is woken
   * @param bits only waiters with one of these bits are woken
   * @return the number woken
   */
  public int wake(Key key, int most, int bits) {
    int woken = 0;
    for (Wait wait : of(key)) {
      if ((wait.bits & bits) != 0) {
        wake(wait);
        if (++woken >= most) {
          break;
        }
      }
    }
    return woken;
  }

  /** Wakes waiters of a word by its shared key. */
  public int wake(AddressMap map, long address, int most) {
    return wake(key(map, address, false), most, ANY_BITS);
  }

  /**
   * Wakes waiters of a word, and moves others to another word.
   *
   * @return the number woken and moved
   */
  public int requeue(Key from, int mostWoken, Key to, int mostMoved) {
    int done = 0;
    for (Wait wait : of(from)) {
      if (done - mostWoken >= mostMoved) {
        break;
      }
      done++;
      if (done <= mostWoken) {
        wake(wait);
      } else {
        remove(wait);
        wait.key = to;
        add(wait);
      }
    }
    return done;
  }
}
