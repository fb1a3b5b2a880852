package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.memory.UserMemory;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * An open directory, for getdents64(2). It lists the names at the time the reading began, so each
 * is returned once despite concurrent changes.
 */
public final class OpenDirectory extends OpenFile {
  private static final int HEADER_SIZE = 19;
  private static final int TYPE_SHIFT = 12;

  private final Source source;
  private List<String> names;
  private int next;

  /**
   * An entry.
   *
   * @param type the file type, S_IF*
   */
  public record Entry(long inode, int type) {}

  /** The directory that is read. */
  public interface Source {
    /** stat(2). */
    FileStatus status();

    /** All names, including {@code .} and {@code ..}. */
    List<String> names();

    /** The entry with a name; empty if it is gone. */
    Optional<Entry> entry(String name);
  }

  /** Opens a directory. */
  public OpenDirectory(int flags, Source source) {
    super("", flags);
    this.source = source;
  }

  @Override
  public FileStatus status() {
    return source.status();
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

  /** Moves to 0, to start again, or to the {@code d_off} of an entry. */
  @Override
  public void position(long to) {
    if (to == 0) {
      names = null;
    }
    next = (int) Math.min(to, Integer.MAX_VALUE);
  }

  @Override
  public void allocate(long offset, long size) {
    throw new ErrnoException(Errno.EISDIR);
  }

  /**
   * The next entries, as many {@code struct linux_dirent64} as fit.
   *
   * @throws ErrnoException EINVAL if not even one fits
   */
  public byte[] entries(int size) {
    if (names == null) {
      names = source.names();
    }
    ByteBuffer buffer = Struct.allocate(size);
    for (; next < names.size(); next++) {
      byte[] name = UserMemory.terminated(names.get(next));
      int record = Math.ceilDiv(HEADER_SIZE + name.length, Long.BYTES) * Long.BYTES;
      if (record > buffer.remaining()) {
        if (buffer.position() == 0) {
          throw new ErrnoException(Errno.EINVAL);
        }
        break;
      }
      Optional<Entry> entry = source.entry(names.get(next));
      if (entry.isPresent()) {
        int at = buffer.position();
        buffer.putLong(entry.get().inode()).putLong(next + 1L).putShort((short) record);
        buffer.put((byte) (entry.get().type() >> TYPE_SHIFT)).put(name).position(at + record);
      }
    }
    byte[] bytes = new byte[buffer.position()];
    buffer.flip().get(bytes);
    return bytes;
  }
}
