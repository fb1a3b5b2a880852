package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.memory.Backing;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.function.Supplier;

/** A regular file of the host, to be read. */
public final class RegularFile extends OpenFile {
  private final FileChannel channel;
  private final Supplier<FileStatus> status;
  private final Backing backing;
  private long position;

  /**
   * Opens it.
   *
   * @param channel reads it, and is closed with it
   */
  public RegularFile(int flags, FileChannel channel, Supplier<FileStatus> status, Backing backing) {
    super("", flags);
    this.channel = channel;
    this.status = status;
    this.backing = backing;
  }

  @Override
  public boolean isOfHost() {
    return true;
  }

  @Override
  public FileStatus status() {
    return status.get();
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
      return Math.max(0, channel.read(to, from));
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
    try {
      channel.close();
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }
}
