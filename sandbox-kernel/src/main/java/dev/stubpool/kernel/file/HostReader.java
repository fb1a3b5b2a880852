package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Reads from a stream that may block, in a thread of its own, and only on demand: data that was not
 * requested stays in the stream for its next reader. Data that arrives after its reader has stopped
 * waiting is kept.
 *
 * <p>State is guarded by the monitor; callbacks run without it.
 */
final class HostReader {
  private static final int SIZE = 1 << 16;

  private final String name;
  private final InputStream source;
  private final boolean isShared;
  private final Set<Runnable> waiting = new LinkedHashSet<>();
  private byte[] kept = new byte[0];
  private int start;

  /** The number of bytes to read now, 0 for none. */
  private int asked;

  private boolean isMore;
  private boolean hasEnded;
  private Errno failure;
  private boolean isClosed;
  private Thread thread;

  /**
   * Creates a reader, which does not read yet.
   *
   * @param name the thread's name
   * @param isShared whether others read the same source: then {@link InputStream#available} tells
   *     whether data is ready, and no more is read than was requested
   */
  HostReader(String name, InputStream source, boolean isShared) {
    this.name = name;
    this.source = source;
    this.isShared = isShared;
  }

  /**
   * Takes data that has arrived, or requests it.
   *
   * @param whenChanged is run when data has arrived
   * @return 0 at the end
   * @throws ErrnoException EAGAIN if no data has arrived, or the error of the read
   */
  synchronized int read(ByteBuffer to, Runnable whenChanged) {
    int wanted = Math.min(to.remaining(), SIZE);
    if (wanted == 0) {
      return 0;
    }
    int there = there();
    if (there > 0) {
      int more = Math.min(wanted - there, isMore || asked > 0 ? 0 : present());
      if (more > 0) {
        isMore = true; // the rest of the data, of which only a part was requested
        ask(more);
      } else {
        return take(to);
      }
    } else if (failure != null) {
      Errno told = failure;
      failure = null;
      throw new ErrnoException(told);
    } else if (hasEnded) {
      hasEnded = false; // a terminal may continue after end of file
      return 0;
    } else if (asked == 0) {
      ask(isShared ? wanted : SIZE);
    }
    waiting.add(whenChanged);
    throw new ErrnoException(Errno.EAGAIN);
  }

  private int there() {
    return kept.length - start;
  }

  private int take(ByteBuffer to) {
    int size = Math.min(there(), to.remaining());
    to.put(kept, start, size);
    start += size;
    isMore = false;
    return size;
  }

  /** Returns data that was read but not used. */
  synchronized void unread(ByteBuffer rest) {
    byte[] all = new byte[rest.remaining() + there()];
    int first = rest.remaining();
    rest.get(all, 0, first);
    System.arraycopy(kept, start, all, first, there());
    kept = all;
    start = 0;
  }

  /**
   * Whether a read would return at once.
   *
   * @param whenChanged is run when that may have changed
   * @param keeps whether the data must be in the buffer already
   */
  synchronized boolean isReady(Runnable whenChanged, boolean keeps) {
    if (there() > 0 || failure != null || hasEnded) {
      return true;
    }
    if (asked == 0) {
      int present = present();
      if (present > 0 && !keeps) {
        return true;
      }
      ask(isShared ? Math.clamp(present, 1, SIZE) : SIZE);
    }
    waiting.add(whenChanged);
    return false;
  }

  /** The number of bytes that can be read without waiting. */
  synchronized int available() {
    return there() + (asked > 0 ? 0 : present());
  }

  private int present() {
    try {
      return isShared ? source.available() : 0;
    } catch (IOException _) {
      return 0; // the read will report the error
    }
  }

  private void ask(int size) {
    asked = size;
    if (thread == null) {
      thread = Thread.ofPlatform().daemon().name(name).start(this::run);
    }
    notifyAll();
  }

  /** Stops reading for good. */
  synchronized void close() {
    isClosed = true;
    notifyAll();
  }

  private void run() {
    byte[] arriving = new byte[SIZE];
    while (true) {
      int size = awaitAsked();
      if (size == 0) {
        return;
      }
      int read = 0;
      Errno failed = null;
      try {
        read = HostRetry.read(source, arriving, size);
      } catch (IOException e) {
        failed = Errno.of(e);
      } catch (RuntimeException _) {
        failed = Errno.EIO; // an embedder's stream has thrown
      }
      arrived(arriving, read, failed).forEach(Runnable::run);
    }
  }

  private synchronized int awaitAsked() {
    while (asked == 0 && !isClosed) {
      try {
        wait();
      } catch (InterruptedException _) {
        return 0;
      }
    }
    return isClosed ? 0 : asked;
  }

  private synchronized List<Runnable> arrived(byte[] bytes, int size, Errno failed) {
    asked = 0;
    failure = failed;
    if (size < 0) {
      hasEnded = true;
    } else {
      byte[] all = new byte[there() + size];
      System.arraycopy(kept, start, all, 0, there());
      System.arraycopy(bytes, 0, all, there(), size);
      kept = all;
      start = 0;
    }
    List<Runnable> told = List.copyOf(waiting);
    waiting.clear();
    return told;
  }
}
