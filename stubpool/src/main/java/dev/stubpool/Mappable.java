package dev.stubpool;

import dev.stubpool.nativestubs.FileCalls;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A file that stubs can map. Closing it leaves the mappings that are there.
 *
 * <p>{@code uses} counts the calls that use the descriptor plus one until closed; who takes it to 0
 * closes the descriptor, so that no call meets another file under its number.
 */
public abstract sealed class Mappable implements AutoCloseable permits MemoryFile, HostFile {
  private final String description;
  private final int fd;
  private final boolean writable;
  private final AtomicInteger uses = new AtomicInteger(1);
  private final AtomicBoolean closed = new AtomicBoolean();

  Mappable(String description, int fd, boolean writable) {
    this.description = description;
    this.fd = fd;
    this.writable = writable;
  }

  /** Size in bytes. */
  public abstract long size();

  /** Whether stubs can write to it by SHARED mappings. */
  boolean isWritable() {
    return writable;
  }

  /** A call that needs the descriptor. */
  interface Use {
    long with(int fd);
  }

  long use(Use use) {
    int now;
    do {
      now = uses.get();
      if (now == 0 || closed.get()) {
        throw new IllegalStateException(description + " is closed");
      }
    } while (!uses.compareAndSet(now, now + 1));
    try {
      return use.with(fd);
    } finally {
      drop();
    }
  }

  /**
   * Closes the file once no call uses it any more. Idempotent.
   *
   * @throws IllegalStateException if another thread is in a long call on the {@link
   *     MemoryFile#segment}; nothing is closed then
   */
  @Override
  public void close() {
    closeView();
    if (closed.compareAndSet(false, true)) {
      drop();
    }
  }

  /** Closes what else belongs to the file, or throws and leaves it open. Idempotent. */
  void closeView() {}

  private void drop() {
    if (uses.decrementAndGet() == 0) {
      FileCalls.close(fd);
    }
  }

  @Override
  public String toString() {
    return description;
  }
}
