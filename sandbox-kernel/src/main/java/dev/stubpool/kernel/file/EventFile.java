package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Poll;
import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;

/** A counter of eventfd(2). */
public final class EventFile extends OpenFile {
  /** The maximum; values are unsigned. */
  private static final long MOST = -2;

  private final boolean isSemaphore;
  private long count;

  /** Whether a write found no room. */
  private boolean roomWanted;

  /**
   * Creates a counter.
   *
   * @param flags O_NONBLOCK or 0
   */
  public EventFile(long count, boolean isSemaphore, int flags) {
    super("anon_inode:[eventfd]", OpenFlags.O_RDWR | flags);
    this.count = count;
    this.isSemaphore = isSemaphore;
  }

  @Override
  public boolean isPollable() {
    return true;
  }

  @Override
  public int readiness() {
    int ready = count == 0 ? 0 : Poll.POLLIN;
    if (hasRoomFor(1)) {
      ready |= Poll.POLLOUT;
    } else {
      roomWanted = true;
    }
    return ready;
  }

  private boolean hasRoomFor(long added) {
    return Long.compareUnsigned(added, MOST - count) <= 0;
  }

  @Override
  public FileStatus status() {
    return AnonymousFiles.status();
  }

  @Override
  public int read(ByteBuffer to) {
    if (to.remaining() < Long.BYTES) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (count == 0) {
      throw new ErrnoException(Errno.EAGAIN);
    }
    long taken = isSemaphore ? 1 : count;
    count -= taken;
    to.put(Struct.bytes(Struct.allocate(Long.BYTES).putLong(taken)));
    if (roomWanted) {
      roomWanted = false;
      waiters().wakeAll();
    }
    return Long.BYTES;
  }

  @Override
  public int write(ByteBuffer from) {
    if (from.remaining() < Long.BYTES) {
      throw new ErrnoException(Errno.EINVAL);
    }
    byte[] bytes = new byte[Long.BYTES];
    from.get(from.position(), bytes);
    long added = Struct.view(bytes).getLong();
    if (added == -1) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (!hasRoomFor(added)) {
      roomWanted = true;
      throw new ErrnoException(Errno.EAGAIN);
    }
    count += added;
    from.position(from.limit()); // bytes after the number are ignored
    waiters().wakeAll();
    return Long.BYTES;
  }
}
