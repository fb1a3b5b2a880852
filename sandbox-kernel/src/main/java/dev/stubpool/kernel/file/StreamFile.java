package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Poll;
import dev.stubpool.kernel.sync.KernelLock;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** A Java stream, which the guest sees as a pipe. */
public final class StreamFile extends OpenFile {
  private static final int MODE = FileStatus.S_IFIFO | 0600;
  private static final String NAME = "stubpool-stream";

  /** The wait for a write to a non-blocking file, in ms. */
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

  /** An input stream; after the guest's first read, data is read ahead. */
  public static StreamFile input(InputStream in, KernelLock lock) {
    return new StreamFile(OpenFlags.O_RDONLY, lock, new HostReader(NAME, in, false), null);
  }

  /** An output stream; every write is flushed. */
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

  /** Reads from a file that has a reader thread. */
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

  /** Writes to a file that has a writer thread. */
  static int write(
      ByteBuffer from, OpenFile file, HostWriter writer, KernelLock lock, Runnable whenChanged) {
    if (file.isNonBlocking()) {
      int begun = writer.begin(from, whenChanged);
      boolean _ = lock.released(() -> writer.awaitReady(MOST_MILLIS));
      return begun;
    }
    try {
      int written = writer.write(from, whenChanged);
      file.waiters().wakeAll(); // the next writer may proceed
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
    waiters().wakeAll(); // the next reader may proceed
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
