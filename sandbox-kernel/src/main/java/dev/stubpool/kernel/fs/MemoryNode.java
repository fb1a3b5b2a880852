package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import java.time.Instant;

/** Base of all files in memory: their attributes, inode(7). */
abstract class MemoryNode {
  private static final int SET_ID = FileStatus.S_ISUID | FileStatus.S_ISGID;
  private static final int GROUP_EXECUTE = 0010;

  private final MemoryTree tree;
  private final long inode;
  private int mode;
  private int uid;
  private int gid;
  private Instant accessed = Instant.now();
  private Instant modified = accessed;
  private Instant changed = accessed;
  private long links = 1;

  /**
   * Creates a node with one name.
   *
   * @param mode the mode, including the type
   */
  MemoryNode(MemoryTree tree, int mode, Identity owner) {
    this.tree = tree;
    this.inode = tree.nextInode();
    this.mode = mode;
    this.uid = owner.uid();
    this.gid = owner.gid();
  }

  final MemoryTree tree() {
    return tree;
  }

  final int mode() {
    return mode;
  }

  final int uid() {
    return uid;
  }

  final int gid() {
    return gid;
  }

  long links() {
    return links;
  }

  abstract long size();

  /** The allocated memory in bytes. */
  long allocated() {
    return 0;
  }

  public FileStatus status() {
    return new FileStatus(
        tree.device(),
        inode,
        links(),
        mode,
        uid,
        gid,
        0,
        size(),
        allocated() / FileStatus.SECTOR,
        accessed,
        modified,
        changed);
  }

  public FileSystem fileSystem() {
    return tree.fileSystem();
  }

  // ---- names ----

  /** Adds a name. */
  void link() {
    if (links > 0) {
      tree.charge();
    }
    links++;
    changed = Instant.now();
  }

  /** Removes a name. Without a name, the file is released when its last use ends. */
  void unlink() {
    links--;
    changed = Instant.now();
    if (links > 0) {
      tree.uncharge();
    } else {
      endIfUnused();
    }
  }

  /** Makes it an unnamed file. */
  void unname() {
    links = 0;
  }

  /** Releases its storage if it has neither a name nor a use. */
  void endIfUnused() {
    tree.uncharge();
  }

  // ---- attributes ----

  private void checkOwner(Identity who) {
    if (who.uid() != 0 && who.uid() != uid) {
      throw new ErrnoException(Errno.EPERM);
    }
  }

  /** chmod(2). */
  void chmod(int permissions, Identity who) {
    checkOwner(who);
    boolean foreignGroup = who.uid() != 0 && who.gid() != gid;
    int allowed = foreignGroup ? permissions & ~FileStatus.S_ISGID : permissions;
    mode = (mode & FileStatus.S_IFMT) | (allowed & FileStatus.PERMISSIONS);
    changed = Instant.now();
  }

  /**
   * chown(2).
   *
   * @param toUid -1 to leave it unchanged
   * @param toGid -1 to leave it unchanged
   */
  void chown(int toUid, int toGid, Identity who) {
    boolean gives = toUid != -1 && toUid != uid;
    boolean joins = toGid != -1 && toGid != gid && toGid != who.gid();
    if (who.uid() != 0 && (who.uid() != uid || gives || joins)) {
      throw new ErrnoException(Errno.EPERM);
    }
    uid = toUid == -1 ? uid : toUid;
    gid = toGid == -1 ? gid : toGid;
    if ((mode & FileStatus.S_IFMT) != FileStatus.S_IFDIR) {
      boolean executable = Bits.any(mode, GROUP_EXECUTE);
      mode &= ~(executable ? SET_ID : FileStatus.S_ISUID);
    }
    changed = Instant.now();
  }

  /** utimensat(2). */
  void times(FileTimes times, Identity who) {
    if (times.areNow()) {
      if (who.uid() != 0 && who.uid() != uid && !mayWrite(who)) {
        throw new ErrnoException(Errno.EACCES);
      }
    } else {
      checkOwner(who);
    }
    changed = Instant.now();
    accessed = times.accessed().orElse(accessed);
    modified = times.modified().orElse(modified);
  }

  private boolean mayWrite(Identity who) {
    return status().allows(who, Access.W_OK);
  }

  /** Sets the modification time, after its contents or entries were changed. */
  void touchModified() {
    modified = Instant.now();
    changed = modified;
  }

  /** Sets the change time, after its attributes were changed. */
  void touchChanged() {
    changed = Instant.now();
  }

  /** Sets the access time after a read, like relatime of mount(8). */
  void touchAccessed() {
    if (!accessed.isAfter(modified)) {
      accessed = Instant.now();
    }
  }
}
