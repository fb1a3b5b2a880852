package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Poll;
import java.nio.ByteBuffer;
import java.util.function.Supplier;

/** An open end of a pipe, or both ends of a FIFO opened with O_RDWR, pipe(7). */
public final class PipeEnd extends OpenFile {
  private static final int MODE = FileStatus.S_IFIFO | 0600;

  private final Pipe pipe;
  private final Supplier<FileStatus> status;
  private final boolean hasName;
  private final long readersBefore;
  private final long writersBefore;

  /**
   * Whether there was no writer at open with O_NONBLOCK; until there was one, it is not a hangup.
   */
  private final boolean wasAlone;

  /** Opens an end of an unnamed pipe. */
  PipeEnd(Pipe pipe, int flags) {
    this(
        "pipe:[" + pipe.inode() + "]",
        pipe,
        flags,
        () -> FileStatus.made(MODE, pipe.inode(), 0),
        false);
  }

  /** Opens an end of a FIFO. */
  PipeEnd(String path, Pipe pipe, int flags, Supplier<FileStatus> status) {
    this(path, pipe, flags, status, true);
  }

  private PipeEnd(String path, Pipe pipe, int flags, Supplier<FileStatus> status, boolean hasName) {
    super(path, flags);
    this.pipe = pipe;
    this.status = status;
    this.hasName = hasName;
    this.readersBefore = pipe.readerOpens();
    this.writersBefore = pipe.writerOpens();
    pipe.opened(this);
    this.wasAlone = isNonBlocking() && !pipe.hasWriters();
  }

  @Override
  public boolean isPollable() {
    return true;
  }

  @Override
  public boolean isConnected() {
    if (!hasName) {
      return true; // opened again, by a link in /proc/PID/fd
    }
    return switch (flags() & OpenFlags.O_ACCMODE) {
      case OpenFlags.O_RDONLY ->
          isNonBlocking() || pipe.hasWriters() || pipe.writerOpens() != writersBefore;
      case OpenFlags.O_WRONLY -> pipe.hasReaders() || pipe.readerOpens() != readersBefore;
      default -> true;
    };
  }

  @Override
  public int readiness() {
    int ready = 0;
    if (OpenFlags.reads(flags())) {
      if (!pipe.isEmpty()) {
        ready |= Poll.POLLIN | Poll.POLLRDNORM;
      }
      if (!pipe.hasWriters() && !(wasAlone && pipe.writerOpens() == writersBefore)) {
        ready |= Poll.POLLHUP;
      }
    }
    if (OpenFlags.writes(flags())) {
      if (!pipe.isFull()) {
        ready |= Poll.POLLOUT | Poll.POLLWRNORM;
      }
      if (!pipe.hasReaders()) {
        ready |= Poll.POLLERR;
      }
    }
    return ready;
  }

  @Override
  public FileStatus status() {
    return status.get();
  }

  @Override
  public int read(ByteBuffer to) {
    if (!OpenFlags.reads(flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    return pipe.read(to);
  }

  @Override
  public void unread(ByteBuffer rest) {
    pipe.unread(rest);
  }

  @Override
  public int write(ByteBuffer from) {
    if (!OpenFlags.writes(flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    return pipe.write(from);
  }

  @Override
  public long available() {
    return pipe.size();
  }

  /** F_GETPIPE_SZ, fcntl(2). */
  public int capacity() {
    return pipe.capacity();
  }

  /** F_SETPIPE_SZ, fcntl(2); returns the new capacity. */
  public int capacity(int wanted) {
    return pipe.capacity(wanted);
  }

  @Override
  protected void close() {
    pipe.closed(this);
  }
}
