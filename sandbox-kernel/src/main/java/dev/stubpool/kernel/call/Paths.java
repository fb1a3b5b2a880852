package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.fs.FileTree;
import dev.stubpool.kernel.fs.Found;
import dev.stubpool.kernel.fs.LastName;
import dev.stubpool.kernel.fs.Location;
import dev.stubpool.kernel.fs.Node;
import dev.stubpool.kernel.process.GuestProcess;
import dev.stubpool.kernel.process.Task;

/** Resolves the paths in arguments of system calls. */
final class Paths {
  static final int AT_SYMLINK_NOFOLLOW = 0x100;
  static final int AT_EACCESS = 0x200;
  static final int AT_REMOVEDIR = 0x200;
  static final int AT_SYMLINK_FOLLOW = 0x400;
  static final int AT_NO_AUTOMOUNT = 0x800;
  static final int AT_EMPTY_PATH = 0x1000;

  private Paths() {}

  /**
   * The directory at which a path starts.
   *
   * @param directory a descriptor, or AT_FDCWD
   * @throws ErrnoException EBADF or ENOTDIR if the path is relative and the descriptor is not a
   *     directory
   */
  static Location start(Task task, int directory, String path) {
    GuestProcess process = task.process();
    if (path.isEmpty()) {
      throw new ErrnoException(Errno.ENOENT);
    }
    if (path.startsWith("/")) {
      return process.files().root();
    }
    if (directory == Arguments.AT_FDCWD) {
      return process.workingDirectory();
    }
    Location start = at(task, directory);
    if (!(start.node() instanceof Node.Directory)) {
      throw new ErrnoException(Errno.ENOTDIR);
    }
    return start;
  }

  /** The location of a descriptor's file, also if it was opened with O_PATH. */
  static Location at(Task task, int descriptor) {
    return task.process().files().locate(Descriptors.any(task, descriptor));
  }

  /** The location of a descriptor's file; EBADF if it was opened with O_PATH. */
  static Location atOpened(Task task, int descriptor) {
    OpenFile file = Descriptors.opened(task, descriptor);
    return task.process().files().locate(file);
  }

  /** Resolves a path whose last name is to be created or removed. */
  static Found name(Task task, int directory, String path) {
    GuestProcess process = task.process();
    return process
        .files()
        .look(start(task, directory, path), path, LastName.CHANGED, process.identity());
  }

  /** Resolves a path; a link at its end is followed. */
  static Location find(Task task, int directory, String path) {
    return find(task, directory, path, true);
  }

  /** Resolves a path. */
  static Location find(Task task, int directory, String path, boolean follow) {
    GuestProcess process = task.process();
    FileTree files = process.files();
    return files.find(start(task, directory, path), path, follow, process.identity());
  }

  /**
   * Resolves a path.
   *
   * @param flags AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH are obeyed, others are ignored
   */
  static Location find(Task task, int directory, String path, int flags) {
    if (path.isEmpty() && Bits.any(flags, AT_EMPTY_PATH)) {
      return directory == Arguments.AT_FDCWD
          ? task.process().workingDirectory()
          : at(task, directory);
    }
    return find(task, directory, path, !Bits.any(flags, AT_SYMLINK_NOFOLLOW));
  }

  /** Throws EINVAL for unknown flags. */
  static void checkFlags(int flags, int known) {
    if ((flags & ~known) != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
  }
}
