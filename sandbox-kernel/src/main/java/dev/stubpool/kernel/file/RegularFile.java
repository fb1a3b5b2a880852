package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.memory.Backing;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** An open regular file of the host, read-only. */
public final class RegularFile extends OpenFile {
  private final Source source;
  private final Backing backing;
  private long position;

  /** The file that is opened. */
  public interface Source {
    /** The channel that reads it. */
    FileChannel channel();

    /** stat(2). */
    FileStatus status();

    /** Called when an open file is closed. */
    void closed();
  }

  /**
   * Opens a file.
   *
   * @param source is notified when it is closed
   */
  public RegularFile(int flags, Source source, Backing backing) {
    super("", flags);
    this.source = source;
    this.backing = backing;
  }

  @Override
  public boolean isOfHost() {
    return true;
  }

  @Override
  public FileStatus status() {
    return source.status();
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
    try {
      return Math.max(0, source.channel().read(to, from));
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
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
  public Backing backing() {
    return backing;
  }

  @Override
  protected void close() {
    source.closed();
  }
}
