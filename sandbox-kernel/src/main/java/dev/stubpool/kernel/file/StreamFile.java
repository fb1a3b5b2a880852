package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Poll;
import dev.stubpool.kernel.sync.KernelLock;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** A stream of Java's, which looks like a pipe to the guest. */
public final class StreamFile extends OpenFile {
  private static final int MODE = FileStatus.S_IFIFO | 0600;
  private static final String NAME = "stubpool-stream";

  /** How long a write of a file that is not to be waited for is waited for. */
  private static final long MOST_MILLIS = 10;

  private final KernelLock lock;
  private final HostReader reader;
  private final HostWriter writer;
  private final Runnable whenChanged = this::tell;

  private StreamFile(int flags, KernelLock lock, HostReader reader, HostWriter writer) {
    super("pipe:[0]", flags);
    this.lock = lock;
    this.reader = reader;
    this.writer = writer;
  }

  /** A stream to be read: what it has is read ahead once the guest reads. */
  public static StreamFile input(InputStream in, KernelLock lock) {
    return new StreamFile(OpenFlags.O_RDONLY, lock, new HostReader(NAME, in, false), null);
  }

  /** A stream to be written; every write is flushed. */
  public static StreamFile output(OutputStream out, KernelLock lock) {
    return new StreamFile(OpenFlags.O_WRONLY, lock, null, new HostWriter(NAME, out));
  }

  private void tell() {
    lock.with(waiters()::wakeAll);
  }

  @Override
  public boolean isPollable() {
    return true;
  }

  @Override
  public int readiness() {
    if (reader != null) {
      return reader.isReady(whenChanged, true) ? Poll.POLLIN | Poll.POLLRDNORM : 0;
    }
    return writer.isReady(whenChanged) ? Poll.POLLOUT | Poll.POLLWRNORM : 0;
  }

  @Override
  public FileStatus status() {
    return FileStatus.made(MODE, 1, 0);
  }

  @Override
  public int read(ByteBuffer to) {
    if (reader == null) {
      throw new ErrnoException(Errno.EBADF);
    }
    return read(to, this, reader, whenChanged);
  }

  /** Reads as every file does behind which a thread reads. */
  static int read(ByteBuffer to, OpenFile file, HostReader reader, Runnable whenChanged) {
    int read = reader.read(to, whenChanged);
    if (read > 0 && file.hasEdgeWatches()) {
      boolean _ = reader.isReady(whenChanged, true);
    }
    return read;
  }

  @Override
  public void unread(ByteBuffer rest) {
    reader.unread(rest);
  }

  @Override
  public int write(ByteBuffer from) {
    if (writer == null) {
      throw new ErrnoException(Errno.EBADF);
    }
    return write(from, this, writer, lock, whenChanged);
  }

  /** Writes as every file does behind which a thread writes. */
  static int write(
      ByteBuffer from, OpenFile file, HostWriter writer, KernelLock lock, Runnable whenChanged) {
    if (file.isNonBlocking()) {
      int begun = writer.begin(from, whenChanged);
      boolean _ = lock.released(() -> writer.awaitReady(MOST_MILLIS));
      return begun;
    }
    try {
      int written = writer.write(from, whenChanged);
      file.waiters().wakeAll(); // it is the next one's turn
      return written;
    } catch (ErrnoException e) {
      if (e.errno() != Errno.EAGAIN) {
        file.waiters().wakeAll();
      }
      throw e;
    }
  }

  @Override
  public boolean awaitWritten(long millis) {
    return writer == null || writer.awaitReady(millis);
  }

  @Override
  public int abandonWrite(ByteBuffer from) {
    int underWay = writer.abandon(from);
    waiters().wakeAll(); // somebody else's turn may have come
    return underWay;
  }

  @Override
  public long available() {
    return reader == null ? super.available() : reader.available();
  }

  @Override
  protected void close() {
    if (reader != null) {
      reader.close();
    }
    if (writer != null) {
      writer.close();
    }
  }
}
