package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.fs.DirectoryChanges;
import dev.stubpool.kernel.fs.Found;
import dev.stubpool.kernel.fs.Location;
import dev.stubpool.kernel.fs.Node;
import dev.stubpool.kernel.memory.UserMemory;
import dev.stubpool.kernel.process.Task;

/**
 * System calls that create, rename and remove directory entries, and those on the working
 * directory.
 */
final class DirectoryCalls {
  private static final int S_IFSOCK = 0140000;
  private static final int S_IFBLK = 0060000;

  private DirectoryCalls() {}

  // ---- new entries ----

  /** mkdir(2). */
  static long mkdir(Task task, Arguments arguments) {
    return mkdir(task, Arguments.AT_FDCWD, arguments.string(0), arguments.integer(1));
  }

  /** mkdirat, mkdir(2). */
  static long mkdirat(Task task, Arguments arguments) {
    return mkdir(task, arguments.integer(0), arguments.string(1), arguments.integer(2));
  }

  private static long mkdir(Task task, int directory, String path, int mode) {
    Found at = Paths.name(task, directory, path);
    int permissions = mode & ~task.process().umask();
    DirectoryChanges.makeDirectory(at, permissions, task.process().identity());
    return 0;
  }

  /** mknod(2). */
  static long mknod(Task task, Arguments arguments) {
    return mknod(task, Arguments.AT_FDCWD, arguments.string(0), arguments.integer(1));
  }

  /** mknodat, mknod(2). */
  static long mknodat(Task task, Arguments arguments) {
    return mknod(task, arguments.integer(0), arguments.string(1), arguments.integer(2));
  }

  private static long mknod(Task task, int directory, String path, int mode) {
    int permissions = mode & FileStatus.PERMISSIONS & ~task.process().umask();
    switch (mode & FileStatus.S_IFMT) {
      case 0, FileStatus.S_IFREG -> {
        Location _ =
            DirectoryChanges.makeFile(
                Paths.name(task, directory, path), permissions, task.process().identity());
      }
      case FileStatus.S_IFIFO ->
          DirectoryChanges.makeFifo(
              Paths.name(task, directory, path), permissions, task.process().identity());
      case FileStatus.S_IFDIR, FileStatus.S_IFCHR, S_IFBLK, S_IFSOCK ->
          throw new ErrnoException(Errno.EPERM);
      default -> throw new ErrnoException(Errno.EINVAL);
    }
    return 0;
  }

  /** symlink(2). */
  static long symlink(Task task, Arguments arguments) {
    return symlink(task, arguments.string(0), Arguments.AT_FDCWD, arguments.string(1));
  }

  /** symlinkat, symlink(2). */
  static long symlinkat(Task task, Arguments arguments) {
    return symlink(task, arguments.string(0), arguments.integer(1), arguments.string(2));
  }

  private static long symlink(Task task, String target, int directory, String path) {
    if (target.isEmpty()) {
      throw new ErrnoException(Errno.ENOENT);
    }
    Found at = Paths.name(task, directory, path);
    DirectoryChanges.makeLink(at, target, task.process().identity());
    return 0;
  }

  /** link(2). */
  static long link(Task task, Arguments arguments) {
    return link(
        task,
        Paths.find(task, Arguments.AT_FDCWD, arguments.string(0), false),
        Arguments.AT_FDCWD,
        arguments.string(1));
  }

  /** linkat, link(2). */
  static long linkat(Task task, Arguments arguments) {
    int flags = arguments.integer(4);
    Paths.checkFlags(flags, Paths.AT_SYMLINK_FOLLOW | Paths.AT_EMPTY_PATH);
    boolean follow = Bits.any(flags, Paths.AT_SYMLINK_FOLLOW);
    int kept = flags & Paths.AT_EMPTY_PATH;
    return link(
        task,
        Paths.find(
            task,
            arguments.integer(0),
            arguments.string(1),
            follow ? kept : kept | Paths.AT_SYMLINK_NOFOLLOW),
        arguments.integer(2),
        arguments.string(3));
  }

  private static long link(Task task, Location existing, int directory, String path) {
    Found at = Paths.name(task, directory, path);
    DirectoryChanges.link(existing, at, task.process().identity());
    return 0;
  }

  // ---- removing and renaming ----

  /** unlink(2). */
  static long unlink(Task task, Arguments arguments) {
    Found at = Paths.name(task, Arguments.AT_FDCWD, arguments.string(0));
    DirectoryChanges.unlink(at, task.process().identity());
    return 0;
  }

  /** unlinkat, unlink(2). */
  static long unlinkat(Task task, Arguments arguments) {
    int flags = arguments.integer(2);
    Paths.checkFlags(flags, Paths.AT_REMOVEDIR);
    Found at = Paths.name(task, arguments.integer(0), arguments.string(1));
    if (Bits.any(flags, Paths.AT_REMOVEDIR)) {
      DirectoryChanges.removeDirectory(at, task.process().identity());
    } else {
      DirectoryChanges.unlink(at, task.process().identity());
    }
    return 0;
  }

  /** rmdir(2). */
  static long rmdir(Task task, Arguments arguments) {
    Found at = Paths.name(task, Arguments.AT_FDCWD, arguments.string(0));
    DirectoryChanges.removeDirectory(at, task.process().identity());
    return 0;
  }

  /** rename(2). */
  static long rename(Task task, Arguments arguments) {
    return rename(
        task,
        Paths.name(task, Arguments.AT_FDCWD, arguments.string(0)),
        Paths.name(task, Arguments.AT_FDCWD, arguments.string(1)),
        0);
  }

  /** renameat, rename(2). */
  static long renameat(Task task, Arguments arguments) {
    return rename(
        task,
        Paths.name(task, arguments.integer(0), arguments.string(1)),
        Paths.name(task, arguments.integer(2), arguments.string(3)),
        0);
  }

  /** renameat2, rename(2). */
  static long renameat2(Task task, Arguments arguments) {
    return rename(
        task,
        Paths.name(task, arguments.integer(0), arguments.string(1)),
        Paths.name(task, arguments.integer(2), arguments.string(3)),
        arguments.integer(4));
  }

  private static long rename(Task task, Found from, Found to, int flags) {
    DirectoryChanges.rename(from, to, flags, task.process().identity());
    return 0;
  }

  // ---- the working directory ----

  /** getcwd(2); returns the size including the terminating 0. */
  static long getcwd(Task task, Arguments arguments) {
    Location directory = task.process().workingDirectory();
    if (directory.isRemoved()) {
      throw new ErrnoException(Errno.ENOENT);
    }
    byte[] path = UserMemory.terminated(directory.path());
    if (Long.compareUnsigned(arguments.word(1), path.length) < 0) {
      throw new ErrnoException(Errno.ERANGE);
    }
    task.memory().write(arguments.word(0), path);
    return path.length;
  }

  /** chdir(2). */
  static long chdir(Task task, Arguments arguments) {
    return chdir(task, Paths.find(task, Arguments.AT_FDCWD, arguments.string(0)));
  }

  /** fchdir, chdir(2). */
  static long fchdir(Task task, Arguments arguments) {
    return chdir(task, Paths.at(task, arguments.integer(0)));
  }

  private static long chdir(Task task, Location to) {
    if (!(to.node() instanceof Node.Directory directory)) {
      throw new ErrnoException(Errno.ENOTDIR);
    }
    if (!directory.allows(task.process().identity(), Access.X_OK)) {
      throw new ErrnoException(Errno.EACCES);
    }
    task.process().workingDirectory(to);
    return 0;
  }

  /** chroot(2): not permitted. */
  static long chroot(Task task, Arguments arguments) {
    Location to = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0));
    throw new ErrnoException(to.node() instanceof Node.Directory ? Errno.EPERM : Errno.ENOTDIR);
  }
}
