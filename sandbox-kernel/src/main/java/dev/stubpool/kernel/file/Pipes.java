package dev.stubpool.kernel.file;

import java.util.ArrayDeque;
import java.util.Deque;

/** Shared state of all pipes of a sandbox: inode numbers, and the memory for their data. */
public final class Pipes {
  /** The size of a pipe's page in bytes. */
  static final int PAGE_SIZE = 4096;

  private static final int MOST_PAGES = 32768;
  private static final int MOST_SPARE = 16;

  private final Deque<byte[]> spare = new ArrayDeque<>();
  private int pages;
  private long inodes;

  /** Creates a pipe, pipe(2), with no end open. */
  public Pipe pipe() {
    return new Pipe(this, ++inodes);
  }

  /** Creates a FIFO, mkfifo(3). */
  public Fifo fifo() {
    return new Fifo(pipe());
  }

  /** Whether a page can be allocated. */
  boolean hasRoom() {
    return pages < MOST_PAGES;
  }

  /** Allocates a page with arbitrary contents. */
  byte[] take() {
    pages++;
    byte[] page = spare.poll();
    return page != null ? page : new byte[PAGE_SIZE];
  }

  void give(byte[] page) {
    pages--;
    if (spare.size() < MOST_SPARE) {
      spare.push(page);
    }
  }
}
