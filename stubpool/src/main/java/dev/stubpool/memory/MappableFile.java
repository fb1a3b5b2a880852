package dev.stubpool.memory;

import dev.stubpool.nativestubs.calls.FileCalls;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The open descriptor of a file that stubs can map.
 *
 * <p>{@code uses} counts the calls that use the descriptor, plus one until the file is closed. The
 * call that decrements it to 0 closes the descriptor, so the descriptor's number is not reused for
 * another file while a call uses it.
 */
public abstract sealed class MappableFile permits Memfd, OpenHostFile {
  private final String description;
  private final int fd;
  private final boolean writable;
  private final AtomicInteger uses = new AtomicInteger(1);
  private final AtomicBoolean closed = new AtomicBoolean();

  MappableFile(String description, int fd, boolean writable) {
    this.description = description;
    this.fd = fd;
    this.writable = writable;
  }

  /** The file's size in bytes. */
  public abstract long size();

  /** Whether stubs can write to it by SHARED mappings. */
  boolean isWritable() {
    return writable;
  }

  /** A call that needs the descriptor. */
  public interface DescriptorUse {
    /** Makes the call; {@code fd} is open until it returns. */
    long apply(int fd);
  }

  /**
   * Applies {@code use} to the descriptor, which stays open meanwhile.
   *
   * @return the result of {@code use}
   * @throws IllegalStateException if the file is closed
   */
  public long use(DescriptorUse use) {
    int now;
    do {
      now = uses.get();
      if (now == 0 || closed.get()) {
        throw new IllegalStateException(description + " is closed");
      }
    } while (!uses.compareAndSet(now, now + 1));
    try {
      return use.apply(fd);
    } finally {
      drop();
    }
  }

  /** Closes the descriptor once no call uses it any more. Idempotent. */
  public void close() {
    if (closed.compareAndSet(false, true)) {
      drop();
    }
  }

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
