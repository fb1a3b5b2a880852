package dev.stubpool.kernel.file;

import java.util.ArrayDeque;
import java.util.Deque;

/** What the pipes of one sandbox have in common: their numbers, and the memory for what is in. */
public final class Pipes {
  /** Bytes of a page of a pipe. */
  static final int PAGE_SIZE = 4096;

  private static final int MOST_PAGES = 32768;
  private static final int MOST_SPARE = 16;

  private final Deque<byte[]> spare = new ArrayDeque<>();
  private int pages;
  private long inodes;

  /** A pipe, pipe(2): nobody has its ends yet. */
  public Pipe pipe() {
    return new Pipe(this, ++inodes);
  }

  /** What is behind a name that mkfifo(3) makes. */
  public Fifo fifo() {
    return new Fifo(pipe());
  }

  /** Whether there is a page left for a write. */
  boolean hasRoom() {
    return pages < MOST_PAGES;
  }

  /** A page, with anything in it. */
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
