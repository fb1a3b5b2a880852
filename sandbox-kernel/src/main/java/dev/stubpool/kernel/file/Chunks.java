package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.ErrnoException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.TreeMap;

/**
 * A sparse array of bytes: positions that were never written are zeros and take no memory. It has
 * no size.
 */
final class Chunks {
  /** The size of a chunk in bytes. */
  static final int SIZE = 1 << 16;

  private static final int SMALLEST = 1 << 12;

  /** Chunks by number. A chunk may be shorter than {@link #SIZE}; the rest is zeros. */
  private final TreeMap<Long, byte[]> chunks = new TreeMap<>();

  private final Storage storage;
  private long allocated;

  Chunks(Storage storage) {
    this.storage = storage;
  }

  /** The allocated memory in bytes. */
  long allocated() {
    return allocated;
  }

  /** Whether the chunk of a position is allocated. */
  boolean isThere(long position) {
    return chunks.containsKey(position / SIZE);
  }

  /** Fills a buffer. */
  void read(long from, ByteBuffer to) {
    long position = from;
    while (to.hasRemaining()) {
      int offset = (int) (position % SIZE);
      int part = Math.min(SIZE - offset, to.remaining());
      byte[] chunk = chunks.get(position / SIZE);
      int known = chunk == null ? 0 : Math.clamp(chunk.length - offset, 0, part);
      if (known > 0) {
        to.put(chunk, offset, known);
      }
      if (part > known) {
        to.put(new byte[part - known]);
      }
      position += part;
    }
  }

  /**
   * Writes bytes from a buffer.
   *
   * @return the number of bytes written; fewer than all if memory runs out
   * @throws ErrnoException ENOSPC if none can be written
   */
  int write(long at, ByteBuffer from) {
    int written = 0;
    while (from.hasRemaining()) {
      long position = at + written;
      int offset = (int) (position % SIZE);
      int part = Math.min(SIZE - offset, from.remaining());
      byte[] chunk;
      try {
        chunk = chunk(position / SIZE, offset + part);
      } catch (ErrnoException e) {
        if (written == 0) {
          throw e;
        }
        return written;
      }
      from.get(chunk, offset, part);
      written += part;
    }
    return written;
  }

  private byte[] chunk(long number, int size) {
    byte[] chunk = chunks.get(number);
    int before = chunk == null ? 0 : chunk.length;
    if (before >= size) {
      return chunk;
    }
    int wanted = Math.max(SMALLEST, Integer.highestOneBit(size - 1) << 1);
    storage.charge(wanted - before);
    allocated += wanted - before;
    byte[] longer = chunk == null ? new byte[wanted] : Arrays.copyOf(chunk, wanted);
    chunks.put(number, longer);
    return longer;
  }

  /** Clears all bytes from a position on. */
  void cut(long from) {
    long number = from / SIZE;
    byte[] last = chunks.get(number);
    int offset = (int) (from % SIZE);
    boolean kept = last != null && offset > 0;
    var gone = chunks.tailMap(number, !kept);
    gone.values().forEach(chunk -> release(chunk.length));
    gone.clear();
    if (kept && offset < last.length) {
      Arrays.fill(last, offset, last.length, (byte) 0);
    }
  }

  private void release(int bytes) {
    allocated -= bytes;
    storage.uncharge(bytes);
  }

  /** Allocates memory for a range of at least one byte. */
  void allocate(long from, long to) {
    for (long number = from / SIZE; number <= (to - 1) / SIZE; number++) {
      byte[] _ = chunk(number, (int) Math.min(SIZE, to - number * SIZE));
    }
  }
}
