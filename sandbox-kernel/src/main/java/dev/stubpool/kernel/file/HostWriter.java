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
 * Writes to a stream that may have no room, in a thread of its own: one write at a time, whose
 * result who made it waits for. What was begun cannot be taken back: when nobody waits for it any
 * more, it goes on, and an error of it is told of by the next write.
 *
 * <p>All of it is under its monitor; who is told that a write is done is told without it.
 */
final class HostWriter {
  private static final int SIZE = 1 << 16;

  private final String name;
  private final OutputStream sink;
  private final byte[] data = new byte[SIZE];
  private final Set<Runnable> waiting = new LinkedHashSet<>();

  /** Bytes of the write that is under way, 0 for none. */
  private int size;

  /** The buffer whose owner waits for the write; null if nobody does. */
  private ByteBuffer waitedFor;

  private boolean isDone;
  private Errno failure;
  private boolean isClosed;
  private Thread thread;

  /**
   * Writes nothing yet.
   *
   * @param name of the thread
   */
  HostWriter(String name, OutputStream sink) {
    this.name = name;
    this.sink = sink;
  }

  /**
   * Begins a write, or tells how it went.
   *
   * @param whenChanged is run when a write is done
   * @return how many bytes of the buffer were written
   * @throws ErrnoException EAGAIN while it is under way, or another is; or what it failed with
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
   * Begins a write that nobody waits for but a little.
   *
   * @throws ErrnoException EAGAIN if another is under way
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

  @SuppressWarnings("ReferenceEquality") // it is the buffer that counts, not what is in it
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

  /** Nobody waits for a buffer's write any more; how many of its bytes are under way. */
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
   * @param whenChanged is run when it may be so
   */
  synchronized boolean isReady(Runnable whenChanged) {
    if (isBusy()) {
      waiting.add(whenChanged);
    }
    return !isBusy();
  }

  /**
   * Waits until nothing is under way, but not for long.
   *
   * @return whether that is so
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

  /** Nobody will write any more; what is under way goes on. */
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
        failed = Errno.EIO; // an embedder's stream
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
