package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** A stream of Java's, which looks like a pipe to the guest. */
public final class StreamFile extends OpenFile {
  private static final int S_IFIFO = 0010000;
  private static final int MODE = 0600;

  private final InputStream in;
  private final OutputStream out;

  /** Makes a stream to be read. */
  public StreamFile(InputStream in) {
    super("pipe:", OpenFlags.O_RDONLY);
    this.in = in;
    this.out = OutputStream.nullOutputStream();
  }

  /** Makes a stream to be written; every write is flushed. */
  public StreamFile(OutputStream out) {
    super("pipe:", OpenFlags.O_WRONLY);
    this.in = InputStream.nullInputStream();
    this.out = out;
  }

  @Override
  public FileStatus status() {
    return FileStatus.made(S_IFIFO | MODE, 1, 0);
  }

  @Override
  public int read(ByteBuffer to) {
    if (!OpenFlags.reads(flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    byte[] bytes = new byte[to.remaining()];
    try {
      int read = Math.max(0, in.read(bytes));
      to.put(bytes, 0, read);
      return read;
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public int write(ByteBuffer from) {
    if (!OpenFlags.writes(flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    byte[] bytes = new byte[from.remaining()];
    from.get(bytes);
    try {
      out.write(bytes);
      out.flush();
      return bytes.length;
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }
}
