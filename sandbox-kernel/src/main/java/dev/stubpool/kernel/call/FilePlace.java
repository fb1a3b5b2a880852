package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.sync.KernelLock;
import java.nio.ByteBuffer;

/** Where a call reads or writes: at a file's own position, or at one of the call's. */
final class FilePlace {
  private final OpenFile file;
  private final boolean isOwn;
  private long position;

  private FilePlace(OpenFile file, boolean isOwn, long position) {
    this.file = file;
    this.isOwn = isOwn;
    this.position = position;
  }

  /** At the file's own position, if it has one. */
  static FilePlace own(OpenFile file) {
    return new FilePlace(file, true, 0);
  }

  /** At a position, 0 or more, that moves along and leaves the file's alone. */
  static FilePlace at(OpenFile file, long position) {
    return new FilePlace(file, false, position);
  }

  /**
   * Checks that a range of so many bytes from here on does not end beyond the largest position.
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

  /** Where it is by now, if it is not the file's own. */
  long position() {
    return position;
  }

  /** Reads as {@link OpenFile#read(ByteBuffer)} does; from the host without the lock. */
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

  /** Others may have moved the file's own position meanwhile: then what was read is not next. */
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
