package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.nio.ByteBuffer;
import java.util.function.Supplier;

/** A file that was opened with O_PATH, open(2): it only denotes a location. */
public final class PathFile extends OpenFile {
  private final Supplier<FileStatus> status;

  /** Creates the open file. */
  public PathFile(int flags, Supplier<FileStatus> status) {
    super("", flags);
    this.status = status;
  }

  @Override
  public FileStatus status() {
    return status.get();
  }

  @Override
  public int read(ByteBuffer to) {
    throw new ErrnoException(Errno.EBADF);
  }

  @Override
  public int read(ByteBuffer to, long position) {
    throw new ErrnoException(Errno.EBADF);
  }

  @Override
  public int write(ByteBuffer from, long position) {
    throw new ErrnoException(Errno.EBADF);
  }

  @Override
  public long position() {
    throw new ErrnoException(Errno.EBADF);
  }

  @Override
  public void position(long to) {
    throw new ErrnoException(Errno.EBADF);
  }
}
