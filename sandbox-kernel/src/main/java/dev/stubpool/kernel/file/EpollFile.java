package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Poll;
import dev.stubpool.kernel.sync.Waiter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An epoll instance, epoll(7).
 *
 * <p>Each item waits in its file's queue. When the queue is woken, the item becomes a candidate:
 * epoll_wait(2) reports it if its file is ready then. A level-triggered item remains a candidate as
 * long as its file is ready. An edge-triggered one is removed when it is reported, until its file's
 * queue is woken again.
 */
public final class EpollFile extends OpenFile {
  private static final int EPOLLEXCLUSIVE = 1 << 28;
  private static final int EPOLLWAKEUP = 1 << 29;
  private static final int EPOLLONESHOT = 1 << 30;
  private static final int EPOLLET = 1 << 31;
  private static final int HOW = EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET;

  /** Events that are always reported. */
  private static final int ALWAYS = Poll.POLLERR | Poll.POLLHUP;

  /** Flags that are allowed with EPOLLEXCLUSIVE. */
  private static final int EXCLUSIVE =
      Poll.POLLIN | Poll.POLLOUT | ALWAYS | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

  private final EpollWatches watches;
  private final Map<Key, Item> items = new HashMap<>();
  private final Set<Item> candidates = new LinkedHashSet<>();
  private int nested;
  private int watchedBy;

  /** A reported event, {@code struct epoll_event}. */
  public record Event(int events, long data) {}

  private record Key(int number, OpenFile file) {}

  private final class Item implements Waiter {
    private final Key key;
    private int events;
    private long data;

    Item(Key key) {
      this.key = key;
    }

    void set(int wanted, long changed) {
      key.file().addEdgeWatches(edges(wanted) - edges(events));
      events = wanted | ALWAYS;
      data = changed;
      if (happened() != 0) {
        wake();
      }
    }

    int happened() {
      int wanted = events & ~HOW;
      return wanted == 0 ? 0 : key.file().readiness() & wanted;
    }

    @Override
    public void wake() {
      if ((events & ~HOW) != 0) {
        candidates.add(this);
        waiters().wakeAll();
      }
    }

    /** Records that it was reported. */
    void tell() {
      if (Bits.any(events, EPOLLONESHOT)) {
        events &= HOW;
      }
    }

    boolean staysCandidate() {
      return !Bits.any(events, EPOLLONESHOT | EPOLLET);
    }
  }

  /** Creates an instance without items. */
  EpollFile(EpollWatches watches) {
    super("anon_inode:[eventpoll]", OpenFlags.O_RDWR);
    this.watches = watches;
  }

  // ---- items ----

  /** EPOLL_CTL_ADD, epoll_ctl(2). */
  public void add(int number, OpenFile file, int events, long data) {
    checkItem(file);
    Key key = new Key(number, file);
    if (Bits.any(events, EPOLLEXCLUSIVE)
        && ((events & ~EXCLUSIVE) != 0 || file instanceof EpollFile)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (file instanceof EpollFile other && (other.nested > 0 || watchedBy > 0)) {
      throw new ErrnoException(Errno.ELOOP);
    }
    if (items.containsKey(key)) {
      throw new ErrnoException(Errno.EEXIST);
    }
    watches.add();
    Item item = new Item(key);
    items.put(key, item);
    file.waiters().add(item);
    file.whenClosed(item, () -> remove(item));
    if (file instanceof EpollFile other) {
      nested++;
      other.watchedBy++;
    }
    item.set(events, data);
  }

  /** EPOLL_CTL_MOD, epoll_ctl(2). */
  public void modify(int number, OpenFile file, int events, long data) {
    checkItem(file);
    Item item = item(number, file);
    if (Bits.any(events | item.events, EPOLLEXCLUSIVE)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    item.set(events, data);
  }

  /** EPOLL_CTL_DEL, epoll_ctl(2). */
  public void delete(int number, OpenFile file) {
    checkItem(file);
    remove(item(number, file));
  }

  private void checkItem(OpenFile file) {
    if (!file.isPollable()) {
      throw new ErrnoException(Errno.EPERM);
    }
    if (file == this) {
      throw new ErrnoException(Errno.EINVAL);
    }
  }

  private Item item(int number, OpenFile file) {
    Item item = items.get(new Key(number, file));
    if (item == null) {
      throw new ErrnoException(Errno.ENOENT);
    }
    return item;
  }

  private static int edges(int events) {
    return Bits.any(events, EPOLLET) ? 1 : 0;
  }

  private void remove(Item item) {
    OpenFile file = item.key.file();
    items.remove(item.key);
    file.addEdgeWatches(-edges(item.events));
    watches.remove();
    candidates.remove(item);
    file.waiters().remove(item);
    file.forget(item);
    if (file instanceof EpollFile other) {
      nested--;
      other.watchedBy--;
    }
  }

  // ---- events ----

  /** Takes the events that are ready now, epoll_wait(2); never waits. */
  public List<Event> take(int most) {
    List<Event> taken = new ArrayList<>();
    List<Item> stay = new ArrayList<>();
    for (Iterator<Item> i = candidates.iterator(); i.hasNext() && taken.size() < most; ) {
      Item item = i.next();
      i.remove();
      int happened = item.happened();
      if (happened != 0) {
        taken.add(new Event(happened, item.data));
        item.tell();
        if (item.staysCandidate()) {
          stay.add(item);
        }
      }
    }
    candidates.addAll(stay); // at the end, for fairness
    return taken;
  }

  @Override
  public boolean isPollable() {
    return true;
  }

  @Override
  public int readiness() {
    candidates.removeIf(item -> item.happened() == 0);
    return candidates.isEmpty() ? 0 : Poll.POLLIN | Poll.POLLRDNORM;
  }

  @Override
  public FileStatus status() {
    return AnonymousFiles.status();
  }

  @Override
  public int read(ByteBuffer to) {
    throw new ErrnoException(Errno.EINVAL);
  }

  @Override
  public int write(ByteBuffer from) {
    throw new ErrnoException(Errno.EINVAL);
  }

  @Override
  protected void close() {
    List.copyOf(items.values()).forEach(this::remove);
  }
}
