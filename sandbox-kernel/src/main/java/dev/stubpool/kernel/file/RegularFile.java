package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.ErrnoException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A regular file of the host, to be read. */
public final class RegularFile extends OpenFile {
  private final Path file;
  private final FileChannel channel;
  private long position;

  /**
   * Opens it.
   *
   * @param path what the guest calls it
   * @param file the host's, which is not followed if it is a link by now
   */
  public RegularFile(String path, int flags, Path file) {
    super(path, flags);
    this.file = file;
    try {
      channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public FileStatus status() {
    try {
      return FileStatus.of(file, LinkOption.NOFOLLOW_LINKS);
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public int read(ByteBuffer to) {
    int read = read(to, position);
    position += read;
    return read;
  }

  @Override
  public int read(ByteBuffer to, long from) {
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
  public Path mappable() {
    return file;
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
