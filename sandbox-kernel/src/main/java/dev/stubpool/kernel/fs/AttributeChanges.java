package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;

/** Changes the attributes of files, with the errors of Linux. */
public final class AttributeChanges {
  private AttributeChanges() {}

  private static MemoryNode changeable(Node node) {
    if (node instanceof MemoryNode memory) {
      return memory;
    }
    throw new ErrnoException(node instanceof OpenNode ? Errno.EPERM : Errno.EROFS);
  }

  /** chmod(2); not for symbolic links. */
  public static void chmod(Node node, int permissions, Identity who) {
    MemoryNode memory = changeable(node);
    if (node instanceof Node.Link) {
      throw new ErrnoException(Errno.EOPNOTSUPP);
    }
    memory.chmod(permissions, who);
  }

  /**
   * chown(2).
   *
   * @param uid -1 to leave it unchanged
   * @param gid -1 to leave it unchanged
   */
  public static void chown(Node node, int uid, int gid, Identity who) {
    changeable(node).chown(uid, gid, who);
  }

  /** utimensat(2). */
  public static void times(Node node, FileTimes times, Identity who) {
    changeable(node).times(times, who);
  }

  /** truncate(2). */
  public static void truncate(Node node, long size, Identity who) {
    if (node instanceof Node.Directory) {
      throw new ErrnoException(Errno.EISDIR);
    }
    if (node.status().type() != FileStatus.S_IFREG) {
      throw new ErrnoException(Errno.EINVAL);
    }
    Opening.checkAccess(node, Access.W_OK, who);
    if (!(node instanceof MemoryFile file)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    file.resize(size);
  }
}
