package dev.stubpool.kernel.call;

import dev.stubpool.kernel.file.OpenFile;
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

  OpenFile file() {
    return file;
  }

  /** Where it is by now, if it is not the file's own. */
  long position() {
    return position;
  }

  int read(ByteBuffer to) {
    if (isOwn) {
      return file.read(to);
    }
    int read = file.read(to, position);
    position += read;
    return read;
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
