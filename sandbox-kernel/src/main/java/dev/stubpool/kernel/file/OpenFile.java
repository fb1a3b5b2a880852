package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * An open file description, open(2): what one or more descriptors name. Every method may throw
 * {@link ErrnoException}; what a kind of file cannot do is refused here.
 */
public abstract class OpenFile {
  private final String path;
  private int flags;
  private int descriptors;

  /**
   * Opens.
   *
   * @param path what the guest calls it
   * @param flags of open(2)
   */
  protected OpenFile(String path, int flags) {
    this.path = path;
    this.flags = flags;
  }

  /** What the guest calls it: its absolute path, or {@code pipe:} and the like. */
  public final String path() {
    return path;
  }

  /** Flags that it was opened with. */
  public final int flags() {
    return flags;
  }

  /** F_SETFL, fcntl(2). */
  public final void flags(int changed) {
    flags = changed;
  }

  /** fstat(2). */
  public abstract FileStatus status();

  /**
   * read(2).
   *
   * @return how many bytes are in the buffer now, 0 at the end of the file
   */
  public abstract int read(ByteBuffer to);

  /** write(2): how many bytes of the buffer were taken. */
  public int write(ByteBuffer from) {
    throw new ErrnoException(Errno.EBADF);
  }

  /** pread(2). */
  public int read(ByteBuffer to, long position) {
    throw new ErrnoException(Errno.ESPIPE);
  }

  /** Whether it has a position, and reading all that was asked for never waits. */
  public boolean isSeekable() {
    return false;
  }

  /** Where the next read begins. */
  public long position() {
    throw new ErrnoException(Errno.ESPIPE);
  }

  /** Moves to a position, 0 or more. */
  public void position(long to) {
    throw new ErrnoException(Errno.ESPIPE);
  }

  /** Whether it is a terminal, isatty(3). */
  public boolean isTerminal() {
    return false;
  }

  /** The host's file, to be mapped. */
  public Path mappable() {
    throw new ErrnoException(Errno.ENODEV);
  }

  /** Gives up what belongs to it; called once. */
  protected void close() {}

  final void addDescriptor() {
    descriptors++;
  }

  final void dropDescriptor() {
    if (--descriptors == 0) {
      close();
    }
  }
}
