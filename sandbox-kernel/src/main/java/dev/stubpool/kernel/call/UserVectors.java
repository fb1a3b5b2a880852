package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.memory.UserMemory;
import dev.stubpool.kernel.process.Task;
import java.nio.ByteBuffer;

/** The pieces of a program's memory from or to which a call copies data, readv(2). */
final class UserVectors {
  /** The limit for the bytes that one call moves, read(2). */
  static final long MOST = 0x7fff_f000;

  private static final int IOVEC_SIZE = 16;
  private static final int IOV_MAX = 1024;

  /** The end of the user address space. */
  private static final long USER_END = 0x7fff_ffff_f000L;

  private final UserMemory memory;
  private final long[] addresses;
  private final long[] sizes;
  private int current;
  private long offset;
  private long left;
  private boolean isFaulted;

  private UserVectors(UserMemory memory, int count) {
    this.memory = memory;
    this.addresses = new long[count];
    this.sizes = new long[count];
  }

  /**
   * A single piece.
   *
   * @throws ErrnoException EFAULT if it exceeds the user address space
   */
  static UserVectors of(Task task, long address, long size) {
    UserVectors vectors = new UserVectors(task.memory(), 1);
    vectors.set(0, address, size);
    return vectors;
  }

  /** The pieces of an array of {@code struct iovec}. */
  static UserVectors read(Task task, long array, int count) {
    if (count < 0 || count > IOV_MAX) {
      throw new ErrnoException(Errno.EINVAL);
    }
    ByteBuffer words = task.memory().readStructure(array, count * IOVEC_SIZE);
    UserVectors vectors = new UserVectors(task.memory(), count);
    for (int i = 0; i < count; i++) {
      long address = words.getLong();
      long size = words.getLong();
      if (size < 0) {
        throw new ErrnoException(Errno.EINVAL);
      }
      vectors.set(i, address, size);
    }
    return vectors;
  }

  private void set(int index, long address, long size) {
    if (size != 0 && (address < 0 || size < 0 || address > USER_END || size > USER_END - address)) {
      throw new ErrnoException(Errno.EFAULT);
    }
    addresses[index] = address;
    sizes[index] = Math.min(size, MOST - left);
    left += sizes[index];
  }

  /** The number of bytes still to be moved. */
  long left() {
    return left;
  }

  /** Whether copying has met inaccessible memory. */
  boolean isFaulted() {
    return isFaulted;
  }

  /** Copies as much as possible from the program into the buffer, and flips it for reading. */
  ByteBuffer gather(ByteBuffer to) {
    copy(to, memory::readSome);
    return to.flip();
  }

  /** Copies the buffer to the program; bytes that cannot be copied remain in the buffer. */
  void scatter(ByteBuffer from) {
    copy(from, memory::writeSome);
  }

  @FunctionalInterface
  private interface Copy {
    int some(long address, ByteBuffer buffer);
  }

  private void copy(ByteBuffer buffer, Copy copy) {
    while (buffer.hasRemaining() && left > 0 && !isFaulted) {
      int part = (int) Math.min(buffer.remaining(), sizes[current] - offset);
      int copied = some(buffer.slice(buffer.position(), part), copy);
      buffer.position(buffer.position() + copied);
      offset += copied;
      left -= copied;
      isFaulted = copied < part;
      if (offset == sizes[current]) {
        current++;
        offset = 0;
      }
    }
  }

  private int some(ByteBuffer part, Copy copy) {
    if (!part.hasRemaining()) {
      return 0;
    }
    try {
      return copy.some(addresses[current] + offset, part);
    } catch (ErrnoException e) {
      if (e.errno() != Errno.EFAULT) {
        throw e;
      }
      return 0;
    }
  }
}
