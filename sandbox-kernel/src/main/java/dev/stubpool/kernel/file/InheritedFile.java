package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** A standard stream of this JVM's own, whatever that is. Never closed: the JVM has one of each. */
public final class InheritedFile extends OpenFile {
  /** Character devices that are terminals, Documentation/admin-guide/devices.txt of Linux. */
  private static final int TTY = 4;

  private static final int CONSOLE = 5;
  private static final int FIRST_PTY = 136;
  private static final int LAST_PTY = 143;

  private final Path host;
  private final FileChannel channel;

  private InheritedFile(int number, int flags, FileChannel channel) {
    super("/proc/self/fd/" + number, flags);
    this.host = Path.of(path());
    this.channel = channel;
  }

  /** Standard input. Nothing is read ahead. */
  @SuppressWarnings("resource") // is the JVM's
  public static InheritedFile input() {
    return new InheritedFile(
        0, OpenFlags.O_RDONLY, new FileInputStream(FileDescriptor.in).getChannel());
  }

  /** Standard output. Nothing is kept back. */
  @SuppressWarnings("resource") // is the JVM's
  public static InheritedFile output() {
    return new InheritedFile(
        1, OpenFlags.O_WRONLY, new FileOutputStream(FileDescriptor.out).getChannel());
  }

  /** Standard error. */
  @SuppressWarnings("resource") // is the JVM's
  public static InheritedFile errors() {
    return new InheritedFile(
        2, OpenFlags.O_WRONLY, new FileOutputStream(FileDescriptor.err).getChannel());
  }

  @Override
  public FileStatus status() {
    try {
      return FileStatus.of(host);
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public int read(ByteBuffer to) {
    if (!OpenFlags.reads(flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    try {
      return Math.max(0, channel.read(to));
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public int write(ByteBuffer from) {
    if (!OpenFlags.writes(flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    try {
      return channel.write(from);
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public int read(ByteBuffer to, long position) {
    if (!isSeekable()) {
      return super.read(to, position);
    }
    try {
      return Math.max(0, channel.read(to, position));
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public boolean isSeekable() {
    return status().type() == FileStatus.S_IFREG;
  }

  @Override
  public long position() {
    try {
      return isSeekable() ? channel.position() : super.position();
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public void position(long to) {
    if (!isSeekable()) {
      super.position(to);
    }
    try {
      channel.position(to);
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public boolean isTerminal() {
    FileStatus status = status();
    int major = (int) (status.specialDevice() >> 8 & 0xfff);
    return status.type() == FileStatus.S_IFCHR
        && (major == TTY
            || (major == CONSOLE && (status.specialDevice() & 0xff) < 2)
            || (major >= FIRST_PTY && major <= LAST_PTY));
  }
}
