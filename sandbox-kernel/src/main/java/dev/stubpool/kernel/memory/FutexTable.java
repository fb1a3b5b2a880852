package dev.stubpool.kernel.memory;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.sync.WaitQueue;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Who waits for words in memory, in the order in which they came: futex(2). */
public final class FutexTable {
  /** A set of bits that meets all others. */
  public static final int ANY_BITS = -1;

  private final Map<Key, Set<Wait>> waits = new HashMap<>();

  /**
   * What a word is, whoever names it.
   *
   * @param memory an {@link AddressMap}, or a {@link Backing} that is mapped by several
   * @param offset in it
   */
  public record Key(Object memory, long offset) {}

  /** One who waits, until he is woken or gives up. */
  public static final class Wait {
    private final WaitQueue queue = new WaitQueue();
    private final int bits;
    private Key key;

    private Wait(Key key, int bits) {
      this.key = key;
      this.bits = bits;
    }

    /** Woken when he is. */
    public WaitQueue queue() {
      return queue;
    }

    /** Whether he was. */
    public boolean isWoken() {
      return key == null;
    }
  }

  /**
   * The key of a word.
   *
   * @param isPrivate whether only those who have the same address map are meant, FUTEX_PRIVATE_FLAG
   * @throws ErrnoException EINVAL if the word is not aligned, EFAULT if there is none
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

  /** Begins to wait; to be ended. */
  public Wait begin(Key key, int bits) {
    Wait wait = new Wait(key, bits);
    add(wait);
    return wait;
  }

  /** Ends to wait, woken or not. */
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
   * Wakes some of those who wait for a word.
   *
   * @param most at most so many, but one at least
   * @param bits only those who wait for one of these
   * @return how many
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

  /** Wakes some of those who wait for a word by what others than its own process know it by. */
  public int wake(AddressMap map, long address, int most) {
    return wake(key(map, address, false), most, ANY_BITS);
  }

  /**
   * Wakes some of those who wait for a word, and has others wait for another word.
   *
   * @return how many of both
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
