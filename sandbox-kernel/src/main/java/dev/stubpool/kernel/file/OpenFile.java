package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Poll;
import dev.stubpool.kernel.memory.Backing;
import dev.stubpool.kernel.sync.WaitQueue;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An open file description, open(2): what one or more descriptors name. Every method may throw
 * {@link ErrnoException}; what a kind of file cannot do is refused here.
 */
public abstract class OpenFile {
  private final String path;
  private int flags;
  private int holders;
  private Place place;
  private final WaitQueue waiters = new WaitQueue();
  private final Map<Object, Runnable> closers = new LinkedHashMap<>();
  private int edgeWatches;
  private FileId id;

  /**
   * Opens.
   *
   * @param path what the guest calls it
   * @param flags of open(2)
   */
  protected OpenFile(String path, int flags) {
    this.path = path;
    this.flags = flags;
  }

  /** What the guest calls it: its absolute path, or {@code pipe:} and the like. */
  public final String path() {
    return place == null ? path : place.path();
  }

  /** Where it is among the files; null if it has no name there, as a pipe has none. */
  public final Place place() {
    return place;
  }

  /** Says where it is. */
  public final OpenFile at(Place where) {
    place = where;
    return this;
  }

  /** Flags that it was opened with. */
  public final int flags() {
    return flags;
  }

  /** F_SETFL, fcntl(2). */
  public final void flags(int changed) {
    flags = changed;
  }

  /** Whether reads and writes fail instead of waiting. */
  public final boolean isNonBlocking() {
    return Bits.any(flags, OpenFlags.O_NONBLOCK);
  }

  // ---- waiting ----

  /** Woken when what {@link #readiness} tells may have changed. */
  public final WaitQueue waiters() {
    return waiters;
  }

  /**
   * Which of POLLIN, POLLOUT, POLLHUP and POLLERR hold now, poll(2). Who asks is told by {@link
   * #waiters} when it changes.
   */
  public int readiness() {
    return Poll.POLLIN | Poll.POLLOUT | Poll.POLLRDNORM | Poll.POLLWRNORM;
  }

  /**
   * Whether it may have to be waited for, as pipes and terminals: epoll(7) takes no others. A read
   * of one takes what is there; a read of another all that was asked for.
   */
  public boolean isPollable() {
    return false;
  }

  /** Whether somebody has opened its other end, fifo(7); waiters are woken when that is so. */
  public boolean isConnected() {
    return true;
  }

  /** So many more items of epoll(7) are told only when there is more than there was, EPOLLET. */
  final void addEdgeWatches(int more) {
    edgeWatches += more;
  }

  /** Whether there are any, so that it must notice when more comes though nobody asks. */
  final boolean hasEdgeWatches() {
    return edgeWatches > 0;
  }

  // ---- data ----

  /** Whether a read asks the host's disk: it is then done by position, and without the lock. */
  public boolean isOfHost() {
    return false;
  }

  /** fstat(2). */
  public abstract FileStatus status();

  /** Which file it is, whoever has opened it and however often. */
  public final FileId id() {
    if (id == null) {
      FileStatus status = status();
      id = new FileId(status.device(), status.inode());
    }
    return id;
  }

  /**
   * read(2). Never waits: EAGAIN while there is nothing, whatever the flags.
   *
   * @return how many bytes are in the buffer now, 0 at the end of the file
   */
  public abstract int read(ByteBuffer to);

  /** Takes back, with the lock not given up since, what was read last and reached nobody. */
  public void unread(ByteBuffer rest) {
    if (isSeekable()) {
      position(position() - rest.remaining());
    }
  }

  /**
   * write(2): how many bytes of the buffer were taken. Never waits: EAGAIN if none can be. Who
   * waits comes back with the same buffer, or says {@link #abandonWrite}.
   */
  public int write(ByteBuffer from) {
    throw new ErrnoException(Errno.EBADF);
  }

  /** A writer waits no more: how many bytes of the buffer will be written nevertheless. */
  public int abandonWrite(ByteBuffer from) {
    return 0;
  }

  /**
   * Waits, in a thread that has not the kernel's lock, until all that was written is where it goes.
   *
   * @return whether it is, in time
   */
  public boolean awaitWritten(long millis) {
    return true;
  }

  /** pread(2). */
  public int read(ByteBuffer to, long position) {
    throw new ErrnoException(Errno.ESPIPE);
  }

  /** pwrite(2). */
  public int write(ByteBuffer from, long position) {
    throw new ErrnoException(Errno.ESPIPE);
  }

  /** How many bytes can be read without waiting, FIONREAD of ioctl(2). */
  public long available() {
    if (isSeekable()) {
      return Math.max(0, status().size() - position());
    }
    throw new ErrnoException(Errno.ENOTTY);
  }

  /** Whether it has a position, and reading all that was asked for never waits. */
  public boolean isSeekable() {
    return false;
  }

  /** Where the next read begins. */
  public long position() {
    throw new ErrnoException(Errno.ESPIPE);
  }

  /** Moves to a position, 0 or more. */
  public void position(long to) {
    throw new ErrnoException(Errno.ESPIPE);
  }

  /** ftruncate(2). */
  public void truncate(long size) {
    throw new ErrnoException(Errno.EINVAL);
  }

  /** fallocate(2), mode 0: has room for so many bytes from an offset on. */
  public void allocate(long offset, long size) {
    throw new ErrnoException(Errno.ENODEV);
  }

  /** Whether it is a terminal, isatty(3). */
  public boolean isTerminal() {
    return false;
  }

  /** What lies behind mappings of it. */
  public Backing backing() {
    throw new ErrnoException(Errno.ENODEV);
  }

  // ---- its end ----

  /** Somebody has it: a descriptor, or a call that is not to lose it while it waits. */
  public final void hold() {
    holders++;
  }

  /** Ends a {@link #hold}; with the last one the file is closed. */
  public final void release() {
    if (--holders == 0) {
      List.copyOf(closers.values()).forEach(Runnable::run);
      closers.clear();
      close();
    }
  }

  /**
   * Has something done before it is closed, once.
   *
   * @param key of this thing, in place of another of that key
   */
  final void whenClosed(Object key, Runnable action) {
    closers.put(key, action);
  }

  /** Takes back {@link #whenClosed}. */
  final void forget(Object key) {
    closers.remove(key);
  }

  /** Gives up what belongs to it; called once. */
  protected void close() {}
}
