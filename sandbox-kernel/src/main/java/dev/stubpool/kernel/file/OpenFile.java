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
 * An open file description, open(2), to which one or more descriptors refer. Every method may throw
 * {@link ErrnoException}. The default implementations refuse operations that a type of file does
 * not support.
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
   * Creates an open file.
   *
   * @param path its path in the guest
   * @param flags the flags of open(2)
   */
  protected OpenFile(String path, int flags) {
    this.path = path;
    this.flags = flags;
  }

  /** Its name in the guest: its absolute path, or a name such as {@code pipe:}. */
  public final String path() {
    return place == null ? path : place.path();
  }

  /** Its place in the file tree; null if it has none, like a pipe. */
  public final Place place() {
    return place;
  }

  /** Sets its place in the file tree. */
  public final OpenFile at(Place where) {
    place = where;
    return this;
  }

  /** The flags of open(2), as changed by F_SETFL. */
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

  /** The queue that is woken when {@link #readiness} may have changed. */
  public final WaitQueue waiters() {
    return waiters;
  }

  /**
   * The current events among POLLIN, POLLOUT, POLLHUP and POLLERR, poll(2). After a call, a change
   * wakes {@link #waiters}.
   */
  public int readiness() {
    return Poll.POLLIN | Poll.POLLOUT | Poll.POLLRDNORM | Poll.POLLWRNORM;
  }

  /**
   * Whether reads and writes may block, as on pipes and terminals; only such files can be in
   * epoll(7). A read of a pollable file returns the data that is there; a read of another one
   * returns all that was requested.
   */
  public boolean isPollable() {
    return false;
  }

  /** Whether its other end has been opened, fifo(7); waiters are woken when it is. */
  public boolean isConnected() {
    return true;
  }

  /** Adds to the number of edge-triggered epoll items, EPOLLET. */
  final void addEdgeWatches(int more) {
    edgeWatches += more;
  }

  /**
   * Whether it has edge-triggered epoll items, so that it must report new data without being asked.
   */
  final boolean hasEdgeWatches() {
    return edgeWatches > 0;
  }

  // ---- data ----

  /**
   * Whether a read accesses the host's disk; it is then made by position and without the kernel's
   * lock.
   */
  public boolean isOfHost() {
    return false;
  }

  /** fstat(2). */
  public abstract FileStatus status();

  /** The identity of the file, which does not depend on how it was opened. */
  public final FileId id() {
    if (id == null) {
      FileStatus status = status();
      id = new FileId(status.device(), status.inode());
    }
    return id;
  }

  /**
   * read(2). Never waits: throws EAGAIN while there is no data, regardless of the flags.
   *
   * @return the number of bytes read, 0 at the end of the file
   */
  public abstract int read(ByteBuffer to);

  /**
   * Takes back data of the last read that was not delivered. The kernel's lock must have been held
   * since that read.
   */
  public void unread(ByteBuffer rest) {
    if (isSeekable()) {
      position(position() - rest.remaining());
    }
  }

  /**
   * write(2); returns the number of bytes accepted. Never waits: throws EAGAIN if none can be
   * accepted. A caller that waits repeats the call with the same buffer, or calls {@link
   * #abandonWrite}.
   */
  public int write(ByteBuffer from) {
    throw new ErrnoException(Errno.EBADF);
  }

  /** Called if a writer stops waiting; returns the number of bytes that will still be written. */
  public int abandonWrite(ByteBuffer from) {
    return 0;
  }

  /**
   * Waits, in a thread without the kernel's lock, until all data written has reached its
   * destination.
   *
   * @return whether it has, within the timeout
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

  /** The number of bytes that can be read without waiting, FIONREAD of ioctl(2). */
  public long available() {
    if (isSeekable()) {
      return Math.max(0, status().size() - position());
    }
    throw new ErrnoException(Errno.ENOTTY);
  }

  /** Whether it has a position, and reads never wait. */
  public boolean isSeekable() {
    return false;
  }

  /** The position of the next read. */
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

  /** fallocate(2), mode 0: allocates storage for a range. */
  public void allocate(long offset, long size) {
    throw new ErrnoException(Errno.ENODEV);
  }

  /** Whether it is a terminal, isatty(3). */
  public boolean isTerminal() {
    return false;
  }

  /** The backing for mappings of this file. */
  public Backing backing() {
    throw new ErrnoException(Errno.ENODEV);
  }

  // ---- end of life ----

  /** Takes a reference, for a descriptor or for a call that waits. */
  public final void hold() {
    holders++;
  }

  /** Drops a reference of {@link #hold}; the last one closes the file. */
  public final void release() {
    if (--holders == 0) {
      List.copyOf(closers.values()).forEach(Runnable::run);
      closers.clear();
      close();
    }
  }

  /**
   * Registers an action to run once before the file is closed.
   *
   * @param key identifies the action, and replaces another one with that key
   */
  final void whenClosed(Object key, Runnable action) {
    closers.put(key, action);
  }

  /** Removes an action of {@link #whenClosed}. */
  final void forget(Object key) {
    closers.remove(key);
  }

  /** Releases its resources; called once. */
  protected void close() {}
}
