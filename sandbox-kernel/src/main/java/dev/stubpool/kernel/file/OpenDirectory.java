package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.memory.UserMemory;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Supplier;

/** A directory that is read by getdents64(2). */
public final class OpenDirectory extends OpenFile {
  private static final int HEADER_SIZE = 19;
  private static final int TYPE_SHIFT = 12;

  private final Supplier<FileStatus> status;
  private final Supplier<List<Entry>> source;
  private List<Entry> entries;
  private int next;

  /**
   * An entry.
   *
   * @param type S_IFREG and so on
   */
  public record Entry(String name, long inode, int type) {}

  /**
   * Opens it.
   *
   * @param source what is in it, with {@code .} and {@code ..}
   */
  public OpenDirectory(
      String path, int flags, Supplier<FileStatus> status, Supplier<List<Entry>> source) {
    super(path, flags);
    this.status = status;
    this.source = source;
  }

  @Override
  public FileStatus status() {
    return status.get();
  }

  @Override
  public int read(ByteBuffer to) {
    throw new ErrnoException(Errno.EISDIR);
  }

  @Override
  public int read(ByteBuffer to, long position) {
    throw new ErrnoException(Errno.EISDIR);
  }

  @Override
  public long position() {
    return next;
  }

  /** To 0, to begin again, or to what an entry said is behind it. */
  @Override
  public void position(long to) {
    if (to == 0) {
      entries = null;
    }
    next = (int) Math.min(to, Integer.MAX_VALUE);
  }

  /**
   * The next entries, as many {@code struct linux_dirent64} as fit.
   *
   * @throws ErrnoException EINVAL if not even one does
   */
  public byte[] entries(int size) {
    if (entries == null) {
      entries = source.get();
    }
    ByteBuffer buffer = Struct.allocate(size);
    for (; next < entries.size(); next++) {
      Entry entry = entries.get(next);
      byte[] name = UserMemory.terminated(entry.name());
      int record = Math.ceilDiv(HEADER_SIZE + name.length, Long.BYTES) * Long.BYTES;
      if (record > buffer.remaining()) {
        if (buffer.position() == 0) {
          throw new ErrnoException(Errno.EINVAL);
        }
        break;
      }
      int at = buffer.position();
      buffer.putLong(entry.inode()).putLong(next + 1L).putShort((short) record);
      buffer.put((byte) (entry.type() >> TYPE_SHIFT)).put(name).position(at + record);
    }
    byte[] bytes = new byte[buffer.position()];
    buffer.flip().get(bytes);
    return bytes;
  }
}
