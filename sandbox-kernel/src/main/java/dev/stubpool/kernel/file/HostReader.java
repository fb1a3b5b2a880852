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
 * Reads from a stream that may have nothing yet, in a thread of its own, and only when it is asked:
 * what is not asked for stays where it is, for whoever reads there next. What comes when nobody
 * waits for it any more is kept.
 *
 * <p>All of it is under its monitor; who is told that something has come is told without it.
 */
final class HostReader {
  private static final int SIZE = 1 << 16;

  private final String name;
  private final InputStream source;
  private final boolean isShared;
  private final Set<Runnable> waiting = new LinkedHashSet<>();
  private byte[] kept = new byte[0];
  private int start;

  /** What to read now, 0 for nothing. */
  private int asked;

  private boolean isMore;
  private boolean hasEnded;
  private Errno failure;
  private boolean isClosed;
  private Thread thread;

  /**
   * Reads nothing yet.
   *
   * @param name of the thread
   * @param isShared whether others read there too: {@link InputStream#available} says what there
   *     is, and no more is read than somebody asked for
   */
  HostReader(String name, InputStream source, boolean isShared) {
    this.name = name;
    this.source = source;
    this.isShared = isShared;
  }

  /**
   * Takes what has come, or asks for it.
   *
   * @param whenChanged is run when something has come
   * @return 0 at the end
   * @throws ErrnoException EAGAIN if nothing has come yet, or what reading failed with
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
        isMore = true; // the rest of what has come, of which only a part was asked for
        ask(more);
      } else {
        return take(to);
      }
    } else if (failure != null) {
      Errno told = failure;
      failure = null;
      throw new ErrnoException(told);
    } else if (hasEnded) {
      hasEnded = false; // a terminal may have more
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

  /** Takes back what was read. */
  synchronized void unread(ByteBuffer rest) {
    byte[] all = new byte[rest.remaining() + there()];
    int first = rest.remaining();
    rest.get(all, 0, first);
    System.arraycopy(kept, start, all, first, there());
    kept = all;
    start = 0;
  }

  /**
   * Whether a read would find something.
   *
   * @param whenChanged is run when that may have changed
   * @param keeps whether that has to be here already
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

  /** How many bytes could be read at once. */
  synchronized int available() {
    return there() + (asked > 0 ? 0 : present());
  }

  private int present() {
    try {
      return isShared ? source.available() : 0;
    } catch (IOException _) {
      return 0; // reading will tell
    }
  }

  private void ask(int size) {
    asked = size;
    if (thread == null) {
      thread = Thread.ofPlatform().daemon().name(name).start(this::run);
    }
    notifyAll();
  }

  /** Nobody will read any more. */
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
        failed = Errno.EIO; // an embedder's stream
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
