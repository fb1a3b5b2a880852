package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.sync.KernelLock;
import java.nio.ByteBuffer;

/** The position at which a call reads or writes: the file's own, or one given by the call. */
final class FilePlace {
  private final OpenFile file;
  private final boolean isOwn;
  private long position;

  private FilePlace(OpenFile file, boolean isOwn, long position) {
    this.file = file;
    this.isOwn = isOwn;
    this.position = position;
  }

  /** The file's own position, if it has one. */
  static FilePlace own(OpenFile file) {
    return new FilePlace(file, true, 0);
  }

  /** A given position, 0 or more, which advances without changing the file's own. */
  static FilePlace at(OpenFile file, long position) {
    return new FilePlace(file, false, position);
  }

  /**
   * Checks that a range of {@code size} bytes from here does not exceed the largest position.
   *
   * @throws ErrnoException EINVAL if it does
   */
  void checkRange(long size) {
    if (!isOwn && size > Long.MAX_VALUE - position) {
      throw new ErrnoException(Errno.EINVAL);
    }
  }

  OpenFile file() {
    return file;
  }

  /** The current position, if it is not the file's own. */
  long position() {
    return position;
  }

  /**
   * Reads like {@link OpenFile#read(ByteBuffer)}; releases the lock while reading from the host.
   */
  int read(ByteBuffer to, KernelLock lock) {
    if (file.isOfHost()) {
      return readOfHost(to, lock);
    }
    if (isOwn) {
      return file.read(to);
    }
    int read = file.read(to, position);
    position += read;
    return read;
  }

  /**
   * Reads from a host file. If another task has moved the file's own position meanwhile, the data
   * is discarded and read again.
   */
  private int readOfHost(ByteBuffer to, KernelLock lock) {
    int start = to.position();
    while (true) {
      long at = isOwn ? file.position() : position;
      int read = lock.released(() -> file.read(to, at));
      if (!isOwn) {
        position += read;
        return read;
      }
      if (file.position() == at) {
        file.position(at + read);
        return read;
      }
      to.position(start);
    }
  }

  void unread(ByteBuffer rest) {
    if (isOwn) {
      file.unread(rest);
    } else {
      position -= rest.remaining();
    }
  }

  int write(ByteBuffer from) {
    if (isOwn) {
      return file.write(from);
    }
    int written = file.write(from, position);
    position += written;
    return written;
  }
}
