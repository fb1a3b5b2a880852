package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.memory.Backing;
import java.nio.ByteBuffer;

/** An open regular file in memory. */
public final class ContentFile extends OpenFile {
  private final Inode inode;
  private long position;

  /** The file that is opened. */
  public interface Inode {
    /** The contents. */
    FileContent content();

    /** stat(2). */
    FileStatus status();

    /** Called after a read. */
    void accessed();

    /** Called after a change of the contents or size. */
    void modified();

    /** Called when an open file is closed. */
    void closed();
  }

  /** Opens a file. */
  public ContentFile(int flags, Inode inode) {
    super("", flags);
    this.inode = inode;
  }

  @Override
  public FileStatus status() {
    return inode.status();
  }

  @Override
  public int read(ByteBuffer to) {
    int read = read(to, position);
    position += read;
    return read;
  }

  @Override
  public int read(ByteBuffer to, long from) {
    if (!OpenFlags.reads(flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    inode.accessed();
    return inode.content().read(from, to);
  }

  @Override
  public int write(ByteBuffer from) {
    long at = whereTo(position);
    int written = write(from, at);
    if (written > 0) {
      position = at + written;
    }
    return written;
  }

  /** With O_APPEND it writes at the end regardless of the position, as Linux does, pwrite(2). */
  @Override
  public int write(ByteBuffer from, long at) {
    if (!OpenFlags.writes(flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    int written = inode.content().write(whereTo(at), from);
    if (written > 0) {
      inode.modified();
    }
    return written;
  }

  private long whereTo(long at) {
    return Bits.any(flags(), OpenFlags.O_APPEND) ? inode.content().size() : at;
  }

  @Override
  public boolean isSeekable() {
    return true;
  }

  @Override
  public long position() {
    return position;
  }

  @Override
  public void position(long to) {
    position = to;
  }

  @Override
  public void truncate(long size) {
    if (!OpenFlags.writes(flags())) {
      throw new ErrnoException(Errno.EINVAL);
    }
    inode.content().resize(size);
    inode.modified();
  }

  @Override
  public void allocate(long offset, long size) {
    inode.content().allocate(offset, size);
    inode.modified();
  }

  @Override
  public Backing backing() {
    return inode.content();
  }

  @Override
  protected void close() {
    inode.closed();
  }
}
