package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.fs.Location;
import dev.stubpool.kernel.fs.Node;
import dev.stubpool.kernel.fs.Opening;
import dev.stubpool.kernel.memory.GuestString;
import dev.stubpool.kernel.process.Task;
import java.util.Arrays;

/** System calls that query files. */
final class PathCalls {
  /** AT_STATX_FORCE_SYNC and AT_STATX_DONT_SYNC, statx(2). */
  private static final int SYNC_TYPE = 0x6000;

  private static final int STAT_FLAGS =
      Paths.AT_SYMLINK_NOFOLLOW | Paths.AT_NO_AUTOMOUNT | Paths.AT_EMPTY_PATH | SYNC_TYPE;
  private static final int ACCESS_FLAGS =
      Paths.AT_EACCESS | Paths.AT_SYMLINK_NOFOLLOW | Paths.AT_EMPTY_PATH;
  private static final int STATX_RESERVED = 0x8000_0000;

  private PathCalls() {}

  // ---- status ----

  /** stat(2). */
  static long stat(Task task, Arguments arguments) {
    Location found = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0));
    return tell(task, arguments.word(1), found.node().status().bytes());
  }

  /** lstat, stat(2). */
  static long lstat(Task task, Arguments arguments) {
    Location found = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0), false);
    return tell(task, arguments.word(1), found.node().status().bytes());
  }

  /** fstat, stat(2). */
  static long fstat(Task task, Arguments arguments) {
    FileStatus status = Descriptors.any(task, arguments.integer(0)).status();
    return tell(task, arguments.word(1), status.bytes());
  }

  /** newfstatat, stat(2). */
  static long newfstatat(Task task, Arguments arguments) {
    int flags = arguments.integer(3);
    Paths.checkFlags(flags, STAT_FLAGS);
    Location found = Paths.find(task, arguments.integer(0), arguments.string(1), flags);
    return tell(task, arguments.word(2), found.node().status().bytes());
  }

  /** statx(2). */
  static long statx(Task task, Arguments arguments) {
    int flags = arguments.integer(2);
    Paths.checkFlags(flags, STAT_FLAGS);
    Paths.checkFlags(arguments.integer(3), ~STATX_RESERVED);
    if ((flags & SYNC_TYPE) == SYNC_TYPE) {
      throw new ErrnoException(Errno.EINVAL);
    }
    Location found = Paths.find(task, arguments.integer(0), arguments.string(1), flags);
    return tell(task, arguments.word(4), found.node().status().extendedBytes());
  }

  /** statfs(2). */
  static long statfs(Task task, Arguments arguments) {
    Location found = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0));
    return tell(task, arguments.word(1), found.node().fileSystem().bytes());
  }

  /** fstatfs, statfs(2). */
  static long fstatfs(Task task, Arguments arguments) {
    Location found = Paths.at(task, arguments.integer(0));
    return tell(task, arguments.word(1), found.node().fileSystem().bytes());
  }

  private static long tell(Task task, long address, byte... structure) {
    task.memory().write(address, structure);
    return 0;
  }

  // ---- access ----

  /** access(2). */
  static long access(Task task, Arguments arguments) {
    return access(task, Arguments.AT_FDCWD, arguments.string(0), arguments.integer(1), 0);
  }

  /** faccessat, access(2), which has no flags. */
  static long faccessat(Task task, Arguments arguments) {
    return access(task, arguments.integer(0), arguments.string(1), arguments.integer(2), 0);
  }

  /** faccessat2, access(2). */
  static long faccessat2(Task task, Arguments arguments) {
    return access(
        task,
        arguments.integer(0),
        arguments.string(1),
        arguments.integer(2),
        arguments.integer(3));
  }

  private static long access(Task task, int directory, String path, int mode, int flags) {
    Paths.checkFlags(mode, Access.ALL);
    Paths.checkFlags(flags, ACCESS_FLAGS);
    Location found = Paths.find(task, directory, path, flags);
    Opening.checkAccess(found.node(), mode, task.process().identity());
    return 0;
  }

  // ---- links ----

  /** readlink(2). */
  static long readlink(Task task, Arguments arguments) {
    return readlink(
        task,
        Paths.find(task, Arguments.AT_FDCWD, arguments.string(0), false),
        arguments.word(1),
        arguments.integer(2));
  }

  /** readlinkat, readlink(2); an empty path means the link that was opened with O_PATH. */
  static long readlinkat(Task task, Arguments arguments) {
    String path = arguments.string(1);
    int flags = Paths.AT_SYMLINK_NOFOLLOW | Paths.AT_EMPTY_PATH;
    Location found = Paths.find(task, arguments.integer(0), path, flags);
    if (path.isEmpty() && !(found.node() instanceof Node.Link)) {
      throw new ErrnoException(Errno.ENOENT);
    }
    return readlink(task, found, arguments.word(2), arguments.integer(3));
  }

  private static long readlink(Task task, Location found, long address, int size) {
    if (size <= 0 || !(found.node() instanceof Node.Link link)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    byte[] target = GuestString.bytes(link.target());
    byte[] part = Arrays.copyOf(target, Math.min(target.length, size));
    task.memory().write(address, part);
    return part.length;
  }

  // ---- extended attributes: files have none ----

  /** getxattr(2), and removexattr(2). */
  static long getxattr(Task task, Arguments arguments) {
    Location _ = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0));
    throw new ErrnoException(Errno.ENODATA);
  }

  /** lgetxattr, getxattr(2), and lremovexattr. */
  static long lgetxattr(Task task, Arguments arguments) {
    Location _ = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0), false);
    throw new ErrnoException(Errno.ENODATA);
  }

  /** fgetxattr, getxattr(2), and fremovexattr. */
  static long fgetxattr(Task task, Arguments arguments) {
    Location _ = Paths.atOpened(task, arguments.integer(0));
    throw new ErrnoException(Errno.ENODATA);
  }

  /** listxattr(2). */
  static long listxattr(Task task, Arguments arguments) {
    Location _ = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0));
    return 0;
  }

  /** llistxattr, listxattr(2). */
  static long llistxattr(Task task, Arguments arguments) {
    Location _ = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0), false);
    return 0;
  }

  /** flistxattr, listxattr(2). */
  static long flistxattr(Task task, Arguments arguments) {
    Location _ = Paths.atOpened(task, arguments.integer(0));
    return 0;
  }
}
