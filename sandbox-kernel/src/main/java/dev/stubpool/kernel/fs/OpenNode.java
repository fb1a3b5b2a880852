package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenFile;

/**
 * The node of an open file without a name, such as a pipe, which is reachable by a link in
 * /proc/PID/fd.
 */
record OpenNode(OpenFile file) implements Node.File {
  @Override
  public FileStatus status() {
    return file.status();
  }

  @Override
  public FileSystem fileSystem() {
    return FileSystem.PIPES;
  }

  /** Allows the access for which it was opened. */
  @Override
  public boolean allows(Identity who, int access) {
    return true;
  }

  /** Returns the file that is already open. */
  @Override
  public OpenFile open(Location here, int flags) {
    int wanted = Access.of(flags);
    if ((wanted & ~Access.of(file.flags())) != 0) {
      throw new ErrnoException(Errno.EACCES);
    }
    return file;
  }
}
