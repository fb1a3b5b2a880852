package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.OpenDirectory;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.fs.FileTree;
import dev.stubpool.kernel.fs.Node;
import dev.stubpool.kernel.memory.UserMemory;
import dev.stubpool.kernel.task.Identity;
import dev.stubpool.kernel.task.Task;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Calls that take a path. */
final class PathCalls {
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int R_OK = 4;
  private static final int W_OK = 2;
  private static final int X_OK = 1;
  private static final int ANY_EXECUTE = 0111;

  private PathCalls() {}

  /** Follows a path that begins, if it is relative, at a directory descriptor. */
  private static FileTree.Found find(Task task, int directory, String path, boolean follow) {
    FileTree files = task.process().files();
    if (path.startsWith("/") || directory == Arguments.AT_FDCWD) {
      return files.resolve(task.process().workingDirectory(), path, follow);
    }
    OpenFile from = task.process().descriptors().get(directory);
    if (!(from instanceof OpenDirectory)) {
      throw new ErrnoException(Errno.ENOTDIR);
    }
    return files.resolve(from.path(), path, follow);
  }

  // ---- opening ----

  /** open(2). */
  static long open(Task task, Arguments arguments) {
    return open(task, Arguments.AT_FDCWD, arguments.string(0), arguments.integer(1));
  }

  /** openat(2). */
  static long openat(Task task, Arguments arguments) {
    return open(task, arguments.integer(0), arguments.string(1), arguments.integer(2));
  }

  private static long open(Task task, int directory, String path, int flags) {
    boolean creates = Bits.any(flags, OpenFlags.O_CREAT);
    boolean exclusive = creates && Bits.any(flags, OpenFlags.O_EXCL);
    boolean follow = !exclusive && !Bits.any(flags, OpenFlags.O_NOFOLLOW);
    FileTree.Found found;
    try {
      found = find(task, directory, path, follow);
    } catch (ErrnoException e) {
      if (creates && e.errno() == Errno.ENOENT && hasParent(task, directory, path)) {
        throw new ErrnoException(Errno.EROFS);
      }
      throw e;
    }
    if (exclusive) {
      throw new ErrnoException(Errno.EEXIST);
    }
    checkOpen(found.node(), flags);
    OpenFile file = task.process().files().open(found, flags & ~OpenFlags.O_CLOEXEC);
    return task.process().descriptors().add(file, Bits.any(flags, OpenFlags.O_CLOEXEC));
  }

  private static boolean hasParent(Task task, int directory, String path) {
    String parent = path.replaceFirst("[^/]+/*$", "");
    try {
      return find(task, directory, parent.isEmpty() ? "." : parent, true).node()
          instanceof Node.Directory;
    } catch (ErrnoException _) {
      return false;
    }
  }

  private static void checkOpen(Node node, int flags) {
    boolean isDirectory = node instanceof Node.Directory;
    boolean changes = OpenFlags.writes(flags) || Bits.any(flags, OpenFlags.O_TRUNC);
    if (Bits.any(flags, OpenFlags.TMPFILE_BIT)) {
      throw new ErrnoException(Errno.EROFS);
    }
    if (Bits.any(flags, OpenFlags.O_DIRECTORY) && !isDirectory) {
      throw new ErrnoException(Errno.ENOTDIR);
    }
    if (isDirectory && (changes || Bits.any(flags, OpenFlags.O_CREAT))) {
      throw new ErrnoException(Errno.EISDIR);
    }
    if (changes && node instanceof Node.File file && !file.isWritable()) {
      throw new ErrnoException(Errno.EROFS);
    }
  }

  // ---- status ----

  /** stat(2). */
  static long stat(Task task, Arguments arguments) {
    FileTree.Found found = find(task, Arguments.AT_FDCWD, arguments.string(0), true);
    return tell(task, found.node().status(), arguments.word(1));
  }

  /** lstat(2). */
  static long lstat(Task task, Arguments arguments) {
    FileTree.Found found = find(task, Arguments.AT_FDCWD, arguments.string(0), false);
    return tell(task, found.node().status(), arguments.word(1));
  }

  /** fstat(2). */
  static long fstat(Task task, Arguments arguments) {
    OpenFile file = task.process().descriptors().get(arguments.integer(0));
    return tell(task, file.status(), arguments.word(1));
  }

  /** newfstatat, fstatat(2). */
  static long newfstatat(Task task, Arguments arguments) {
    int flags = arguments.integer(3);
    String path = arguments.string(1);
    int directory = arguments.integer(0);
    if (path.isEmpty() && Bits.any(flags, AT_EMPTY_PATH) && directory != Arguments.AT_FDCWD) {
      OpenFile file = task.process().descriptors().get(directory);
      return tell(task, file.status(), arguments.word(2));
    }
    boolean here = path.isEmpty() && Bits.any(flags, AT_EMPTY_PATH);
    boolean follow = !Bits.any(flags, AT_SYMLINK_NOFOLLOW);
    FileTree.Found found = find(task, directory, here ? "." : path, follow);
    return tell(task, found.node().status(), arguments.word(2));
  }

  private static long tell(Task task, FileStatus status, long address) {
    task.memory().write(address, status.bytes());
    return 0;
  }

  /** access(2). */
  static long access(Task task, Arguments arguments) {
    return access(task, Arguments.AT_FDCWD, arguments.string(0), arguments.integer(1), true);
  }

  /** faccessat(2), which has no flags. */
  static long faccessat(Task task, Arguments arguments) {
    return access(task, arguments.integer(0), arguments.string(1), arguments.integer(2), true);
  }

  /** faccessat2, faccessat(2). */
  static long faccessat2(Task task, Arguments arguments) {
    boolean follow = !Bits.any(arguments.integer(3), AT_SYMLINK_NOFOLLOW);
    return access(task, arguments.integer(0), arguments.string(1), arguments.integer(2), follow);
  }

  private static long access(Task task, int directory, String path, int mode, boolean follow) {
    if ((mode & ~(R_OK | W_OK | X_OK)) != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    Node node = find(task, directory, path, follow).node();
    if (Bits.any(mode, W_OK) && !(node instanceof Node.File file && file.isWritable())) {
      throw new ErrnoException(Errno.EROFS);
    }
    if (!allows(node.status(), task.process().identity(), mode)) {
      throw new ErrnoException(Errno.EACCES);
    }
    return 0;
  }

  /** Permissions, path_resolution(7), less supplementary groups and access control lists. */
  private static boolean allows(FileStatus status, Identity identity, int mode) {
    if (identity.uid() == 0) {
      boolean executable =
          status.type() == FileStatus.S_IFDIR || Bits.any(status.mode(), ANY_EXECUTE);
      return executable || !Bits.any(mode, X_OK);
    }
    int allowed =
        identity.uid() == status.uid()
            ? status.mode() >> 6
            : identity.gid() == status.gid() ? status.mode() >> 3 : status.mode();
    return (mode & ~allowed) == 0;
  }

  // ---- links ----

  /** readlink(2). */
  static long readlink(Task task, Arguments arguments) {
    FileTree.Found found = find(task, Arguments.AT_FDCWD, arguments.string(0), false);
    return readlink(task, found, arguments.word(1), arguments.integer(2));
  }

  /** readlinkat(2). */
  static long readlinkat(Task task, Arguments arguments) {
    FileTree.Found found = find(task, arguments.integer(0), arguments.string(1), false);
    return readlink(task, found, arguments.word(2), arguments.integer(3));
  }

  private static long readlink(Task task, FileTree.Found found, long address, int size) {
    if (size <= 0 || !(found.node() instanceof Node.Link link)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    byte[] target = link.target().getBytes(StandardCharsets.UTF_8);
    byte[] part = Arrays.copyOf(target, Math.min(target.length, size));
    task.memory().write(address, part);
    return part.length;
  }

  // ---- working directory ----

  /** getcwd(2): the size with the 0 at the end. */
  static long getcwd(Task task, Arguments arguments) {
    byte[] path = UserMemory.terminated(task.process().workingDirectory());
    if (Long.compareUnsigned(arguments.word(1), path.length) < 0) {
      throw new ErrnoException(Errno.ERANGE);
    }
    task.memory().write(arguments.word(0), path);
    return path.length;
  }

  /** chdir(2). */
  static long chdir(Task task, Arguments arguments) {
    FileTree.Found found = find(task, Arguments.AT_FDCWD, arguments.string(0), true);
    if (!(found.node() instanceof Node.Directory)) {
      throw new ErrnoException(Errno.ENOTDIR);
    }
    task.process().workingDirectory(found.path());
    return 0;
  }

  /** fchdir(2). */
  static long fchdir(Task task, Arguments arguments) {
    if (!(task.process().descriptors().get(arguments.integer(0))
        instanceof OpenDirectory directory)) {
      throw new ErrnoException(Errno.ENOTDIR);
    }
    task.process().workingDirectory(directory.path());
    return 0;
  }
}
