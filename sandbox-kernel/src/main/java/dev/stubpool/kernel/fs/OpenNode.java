package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenFile;

/** What is open and has no name, such as a pipe, and is found by a link in /proc/PID/fd. */
record OpenNode(OpenFile file) implements Node.File {
  @Override
  public FileStatus status() {
    return file.status();
  }

  @Override
  public FileSystem fileSystem() {
    return FileSystem.PIPES;
  }

  /** What it was opened for counts. */
  @Override
  public boolean allows(Identity who, int access) {
    return true;
  }

  /** Gives what is open already. */
  @Override
  public OpenFile open(Location here, int flags) {
    int wanted = Access.of(flags);
    if ((wanted & ~Access.of(file.flags())) != 0) {
      throw new ErrnoException(Errno.EACCES);
    }
    return file;
  }
}
