package dev.stubpool.kernel.file;

import dev.stubpool.kernel.memory.GuestString;
import java.nio.ByteBuffer;
import java.util.function.Supplier;

/** A file whose text is generated when its reading begins, like those of proc(5). */
public final class TextFile extends OpenFile {
  private final Supplier<FileStatus> status;
  private final Supplier<String> text;
  private byte[] bytes;
  private long position;

  /** Opens a file. */
  public TextFile(int flags, Supplier<FileStatus> status, Supplier<String> text) {
    super("", flags);
    this.status = status;
    this.text = text;
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
    if (bytes == null || from == 0) {
      bytes = GuestString.bytes(text.get());
    }
    int start = (int) Math.min(from, bytes.length);
    int part = Math.min(bytes.length - start, to.remaining());
    to.put(bytes, start, part);
    return part;
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
}
