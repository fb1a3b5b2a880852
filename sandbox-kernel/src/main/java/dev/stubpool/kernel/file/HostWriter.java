package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Writes to a stream that may block, in a thread of its own, one write at a time; the caller waits
 * for the result. A write that has begun cannot be cancelled: if its caller stops waiting, it
 * continues, and the next write reports its error.
 *
 * <p>State is guarded by the monitor; callbacks run without it.
 */
final class HostWriter {
  private static final int SIZE = 1 << 16;

  private final String name;
  private final OutputStream sink;
  private final byte[] data = new byte[SIZE];
  private final Set<Runnable> waiting = new LinkedHashSet<>();

  /** The size of the write in progress, 0 for none. */
  private int size;

  /** The buffer whose owner waits for the write; null if the write was abandoned. */
  private ByteBuffer waitedFor;

  private boolean isDone;
  private Errno failure;
  private boolean isClosed;
  private Thread thread;

  /**
   * Creates an idle writer.
   *
   * @param name the thread's name
   */
  HostWriter(String name, OutputStream sink) {
    this.name = name;
    this.sink = sink;
  }

  /**
   * Begins a write, or returns the result of the one begun for this buffer.
   *
   * @param whenChanged is run when a write is done
   * @return the number of bytes written
   * @throws ErrnoException EAGAIN while this or another write is in progress; or the error of the
   *     write
   */
  synchronized int write(ByteBuffer from, Runnable whenChanged) {
    if (!from.hasRemaining()) {
      return 0;
    }
    if (isWaitedFor(from) && isDone) {
      int written = size;
      waitedFor = null;
      size = 0;
      throwFailure();
      from.position(from.position() + written);
      return written;
    }
    if (!isBusy()) {
      throwFailure();
      begin(from.duplicate());
      waitedFor = from;
    }
    waiting.add(whenChanged);
    throw new ErrnoException(Errno.EAGAIN);
  }

  /**
   * Begins a write whose result is not awaited.
   *
   * @throws ErrnoException EAGAIN if another write is in progress
   */
  synchronized int begin(ByteBuffer from, Runnable whenChanged) {
    if (!from.hasRemaining()) {
      return 0;
    }
    if (isBusy()) {
      waiting.add(whenChanged);
      throw new ErrnoException(Errno.EAGAIN);
    }
    throwFailure();
    return begin(from);
  }

  private int begin(ByteBuffer from) {
    size = Math.min(from.remaining(), SIZE);
    from.get(data, 0, size);
    isDone = false;
    if (thread == null) {
      thread = Thread.ofPlatform().daemon().name(name).start(this::run);
    }
    notifyAll();
    return size;
  }

  @SuppressWarnings("ReferenceEquality") // compares the buffer's identity, not its contents
  private boolean isWaitedFor(ByteBuffer buffer) {
    return waitedFor == buffer;
  }

  private boolean isBusy() {
    return size > 0;
  }

  private void throwFailure() {
    if (failure != null) {
      Errno told = failure;
      failure = null;
      throw new ErrnoException(told);
    }
  }

  /**
   * Abandons the wait for a buffer's write; returns the number of its bytes that are still being
   * written.
   */
  synchronized int abandon(ByteBuffer from) {
    if (!isWaitedFor(from)) {
      return 0;
    }
    int underWay = size;
    waitedFor = null;
    if (isDone) {
      size = 0;
    }
    return underWay;
  }

  /**
   * Whether a write could begin now.
   *
   * @param whenChanged is run when that may have changed
   */
  synchronized boolean isReady(Runnable whenChanged) {
    if (isBusy()) {
      waiting.add(whenChanged);
    }
    return !isBusy();
  }

  /**
   * Waits until no write is in progress, up to a timeout.
   *
   * @return whether none is
   */
  synchronized boolean awaitReady(long millis) {
    long deadline = System.nanoTime() + millis * 1_000_000;
    boolean interrupted = false;
    for (long left = millis; isBusy() && left > 0; ) {
      try {
        wait(left);
      } catch (InterruptedException _) {
        interrupted = true;
      }
      left = (deadline - System.nanoTime()) / 1_000_000;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return !isBusy();
  }

  /** Stops accepting writes; one in progress continues. */
  synchronized void close() {
    isClosed = true;
    notifyAll();
  }

  private void run() {
    while (awaitWork()) {
      Errno failed = null;
      try {
        HostRetry.write(sink, data, size);
      } catch (IOException e) {
        failed = Errno.of(e);
      } catch (RuntimeException _) {
        failed = Errno.EIO; // an embedder's stream has thrown
      }
      done(failed).forEach(Runnable::run);
    }
  }

  private synchronized boolean awaitWork() {
    while ((size == 0 || isDone) && !isClosed) {
      try {
        wait();
      } catch (InterruptedException _) {
        return false;
      }
    }
    return size > 0 && !isDone;
  }

  private synchronized List<Runnable> done(Errno failed) {
    failure = failed;
    isDone = true;
    if (waitedFor == null) {
      size = 0;
    }
    notifyAll();
    List<Runnable> told = List.copyOf(waiting);
    waiting.clear();
    return told;
  }
}
