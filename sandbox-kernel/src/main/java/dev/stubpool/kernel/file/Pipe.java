package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * A pipe, pipe(7): a queue of pages. As in Linux, its capacity is a number of pages; data goes into
 * the last page if it fits there, else into new ones, so that a write of up to PIPE_BUF bytes (one
 * page) is atomic.
 */
public final class Pipe {
  private static final int DEFAULT_PAGES = 16;

  /** /proc/sys/fs/pipe-max-size. */
  private static final int LARGEST = 1 << 20;

  private final Pipes pipes;
  private final long inode;
  private final Deque<Page> pages = new ArrayDeque<>();
  private final List<PipeEnd> ends = new ArrayList<>();
  private int capacity = DEFAULT_PAGES;
  private int readers;
  private int writers;

  // Counts of opens of each end: opening a FIFO waits until the other count grows.
  private long readerOpens;
  private long writerOpens;

  private static final class Page {
    private final byte[] bytes;
    private int start;
    private int end;

    Page(byte[] bytes) {
      this.bytes = bytes;
    }

    int size() {
      return end - start;
    }

    int room() {
      return bytes.length - end;
    }

    void fill(ByteBuffer from, int size) {
      from.get(bytes, end, size);
      end += size;
    }

    void drain(ByteBuffer to) {
      int size = Math.min(size(), to.remaining());
      to.put(bytes, start, size);
      start += size;
    }
  }

  Pipe(Pipes pipes, long inode) {
    this.pipes = pipes;
    this.inode = inode;
  }

  /**
   * Opens the end for reading.
   *
   * @param flags O_NONBLOCK
   */
  public OpenFile reader(int flags) {
    return new PipeEnd(this, OpenFlags.O_RDONLY | flags);
  }

  /**
   * Opens the end for writing.
   *
   * @param flags O_NONBLOCK
   */
  public OpenFile writer(int flags) {
    return new PipeEnd(this, OpenFlags.O_WRONLY | flags);
  }

  long inode() {
    return inode;
  }

  // ---- ends ----

  void opened(PipeEnd end) {
    ends.add(end);
    if (OpenFlags.reads(end.flags())) {
      readers++;
      readerOpens++;
    }
    if (OpenFlags.writes(end.flags())) {
      writers++;
      writerOpens++;
    }
    wakeAll(); // openers of a FIFO may wait for it
  }

  void closed(PipeEnd end) {
    ends.remove(end);
    if (OpenFlags.reads(end.flags())) {
      readers--;
    }
    if (OpenFlags.writes(end.flags())) {
      writers--;
    }
    if (ends.isEmpty()) {
      pages.forEach(page -> pipes.give(page.bytes));
      pages.clear();
    } else if (readers == 0 || writers == 0) {
      wakeAll();
    }
  }

  private void wakeAll() {
    ends.forEach(end -> end.waiters().wakeAll());
  }

  private void wakeReaders() {
    for (PipeEnd end : ends) {
      if (OpenFlags.reads(end.flags())) {
        end.waiters().wakeAll();
      }
    }
  }

  private void wakeWriters() {
    for (PipeEnd end : ends) {
      if (OpenFlags.writes(end.flags())) {
        end.waiters().wakeAll();
      }
    }
  }

  boolean hasReaders() {
    return readers > 0;
  }

  boolean hasWriters() {
    return writers > 0;
  }

  long readerOpens() {
    return readerOpens;
  }

  long writerOpens() {
    return writerOpens;
  }

  // ---- data ----

  boolean isEmpty() {
    return pages.isEmpty();
  }

  boolean isFull() {
    return pages.size() >= capacity;
  }

  int read(ByteBuffer to) {
    if (!to.hasRemaining()) {
      return 0;
    }
    if (isEmpty()) {
      if (hasWriters()) {
        throw new ErrnoException(Errno.EAGAIN);
      }
      return 0;
    }
    boolean wasFull = isFull();
    int before = to.remaining();
    while (to.hasRemaining() && !isEmpty()) {
      Page page = pages.getFirst();
      page.drain(to);
      if (page.size() == 0) {
        pages.removeFirst();
        pipes.give(page.bytes);
      }
    }
    if (wasFull && !isFull()) {
      wakeWriters();
    }
    return before - to.remaining();
  }

  void unread(ByteBuffer rest) {
    Deque<Page> back = new ArrayDeque<>();
    while (rest.hasRemaining()) {
      Page page = new Page(pipes.take());
      page.fill(rest, Math.min(rest.remaining(), page.room()));
      back.push(page);
    }
    back.forEach(pages::addFirst);
  }

  int write(ByteBuffer from) {
    if (!from.hasRemaining()) {
      return 0;
    }
    if (!hasReaders()) {
      throw new ErrnoException(Errno.EPIPE);
    }
    int before = from.remaining();
    int odd = before % Pipes.PAGE_SIZE;
    if (odd > 0 && !isEmpty() && pages.getLast().room() >= odd) {
      pages.getLast().fill(from, odd);
    }
    while (from.hasRemaining() && !isFull() && pipes.hasRoom()) {
      Page page = new Page(pipes.take());
      page.fill(from, Math.min(from.remaining(), page.room()));
      pages.add(page);
    }
    if (from.remaining() == before) {
      throw new ErrnoException(isFull() ? Errno.EAGAIN : Errno.ENOMEM);
    }
    wakeReaders();
    return before - from.remaining();
  }

  /** FIONREAD, ioctl(2). */
  int size() {
    return pages.stream().mapToInt(Page::size).sum();
  }

  /** F_GETPIPE_SZ, fcntl(2). */
  int capacity() {
    return capacity * Pipes.PAGE_SIZE;
  }

  /** F_SETPIPE_SZ, fcntl(2). */
  int capacity(int wanted) {
    if (wanted < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (wanted > LARGEST) {
      throw new ErrnoException(Errno.EPERM);
    }
    int atLeast = Math.max(1, Math.ceilDiv(wanted, Pipes.PAGE_SIZE));
    int rounded = Integer.highestOneBit(2 * atLeast - 1);
    if (rounded < pages.size()) {
      throw new ErrnoException(Errno.EBUSY);
    }
    boolean wasFull = isFull();
    capacity = rounded;
    if (wasFull && !isFull()) {
      wakeWriters();
    }
    return capacity();
  }
}
