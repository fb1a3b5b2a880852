package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import java.util.Optional;
import java.util.function.BiFunction;

/**
 * Creates, renames and removes directory entries, with the errors of Linux in its order. Paths are
 * resolved with {@link LastName#CHANGED}.
 */
public final class DirectoryChanges {
  /** Flags of renameat2, rename(2). */
  public static final int RENAME_NOREPLACE = 1;

  public static final int RENAME_EXCHANGE = 2;

  private static final int MODE_OF_A_DIRECTORY = 01777;

  private DirectoryChanges() {}

  // ---- new entries ----

  /**
   * Creates a regular file, mknod(2).
   *
   * @param permissions the mode after umask(2)
   */
  public static Location makeFile(Found at, int permissions, Identity who) {
    return make(
        at, false, who, (directory, owner) -> new MemoryFile(directory.tree(), permissions, owner));
  }

  /** Creates a FIFO, mkfifo(3). */
  public static void makeFifo(Found at, int permissions, Identity who) {
    Location _ =
        make(
            at,
            false,
            who,
            (directory, owner) -> new MemoryFifo(directory.tree(), permissions, owner));
  }

  /** Creates a symbolic link, symlink(2). */
  public static void makeLink(Found at, String target, Identity who) {
    Location _ =
        make(at, false, who, (directory, owner) -> new MemoryLink(directory.tree(), target, owner));
  }

  /** mkdir(2). */
  public static void makeDirectory(Found at, int permissions, Identity who) {
    int mode = permissions & MODE_OF_A_DIRECTORY;
    Location _ =
        make(
            at,
            true,
            who,
            (directory, owner) ->
                new MemoryDirectory(
                    directory.tree(), mode | (directory.mode() & FileStatus.S_ISGID), owner));
  }

  private static Location make(
      Found at,
      boolean isDirectory,
      Identity who,
      BiFunction<MemoryDirectory, Identity, Node> maker) {
    checkNew(at, isDirectory);
    MemoryDirectory directory = changeable(at.directory());
    checkMayChange(directory, who);
    return directory.add(at.name(), maker.apply(directory, owner(directory, who)));
  }

  private static Identity owner(MemoryDirectory directory, Identity who) {
    boolean inherits = Bits.any(directory.mode(), FileStatus.S_ISGID);
    return inherits ? new Identity(who.uid(), directory.gid()) : who;
  }

  private static void checkNew(Found at, boolean isDirectory) {
    if (at.isSpecial() || at.existing().isPresent()) {
      throw new ErrnoException(Errno.EEXIST);
    }
    if (at.slash() && !isDirectory) {
      throw new ErrnoException(Errno.ENOENT);
    }
  }

  private static MemoryDirectory changeable(Location directory) {
    if (directory.node() instanceof MemoryDirectory memory) {
      return memory;
    }
    throw new ErrnoException(Errno.EROFS);
  }

  private static void checkMayChange(MemoryDirectory directory, Identity who) {
    if (directory.isRemoved()) {
      throw new ErrnoException(Errno.ENOENT);
    }
    if (!directory.allows(who, Access.W_OK | Access.X_OK)) {
      throw new ErrnoException(Errno.EACCES);
    }
  }

  /** Creates an unnamed file, open(2) with O_TMPFILE. */
  public static Location makeUnnamed(Location where, int permissions, Identity who) {
    MemoryDirectory directory = changeable(where);
    checkMayChange(directory, who);
    MemoryFile file = new MemoryFile(directory.tree(), permissions, owner(directory, who));
    file.unname();
    Location location = new Location(where, "#" + file.status().inode(), file);
    location.remove();
    return location;
  }

  /** link(2). */
  public static void link(Location existing, Found at, Identity who) {
    checkNew(at, false);
    MemoryDirectory directory = changeable(at.directory());
    if (!(existing.node() instanceof MemoryNode node) || node.tree() != directory.tree()) {
      throw new ErrnoException(Errno.EXDEV);
    }
    checkMayChange(directory, who);
    if (existing.node() instanceof Node.Directory) {
      throw new ErrnoException(Errno.EPERM);
    }
    node.link();
    Location _ = directory.add(at.name(), existing.node());
  }

  // ---- removing ----

  /** unlink(2). */
  public static void unlink(Found at, Identity who) {
    if (at.isSpecial()) {
      throw new ErrnoException(Errno.EISDIR);
    }
    MemoryDirectory directory = changeable(at.directory());
    Location entry = at.existing().orElseThrow(Found::missing);
    if (at.slash()) {
      boolean isDirectory = entry.node() instanceof Node.Directory;
      throw new ErrnoException(isDirectory ? Errno.EISDIR : Errno.ENOTDIR);
    }
    checkMayTake(directory, entry, false, who);
    remove(directory, entry);
  }

  /** rmdir(2). */
  public static void removeDirectory(Found at, Identity who) {
    if (at.isSpecial()) {
      throw new ErrnoException(
          at.isDot() ? Errno.EINVAL : at.isDotDot() ? Errno.ENOTEMPTY : Errno.EBUSY);
    }
    MemoryDirectory directory = changeable(at.directory());
    Location entry = at.existing().orElseThrow(Found::missing);
    checkMayTake(directory, entry, true, who);
    checkEmpty(entry);
    remove(directory, entry);
  }

  /** Checks that an entry may be removed from a directory, and is of the expected type. */
  private static void checkMayTake(
      MemoryDirectory directory, Location entry, boolean isDirectory, Identity who) {
    checkMayChange(directory, who);
    if (entry.node() instanceof MemoryNode node
        && Bits.any(directory.mode(), FileStatus.S_ISVTX)
        && who.uid() != 0
        && who.uid() != node.uid()
        && who.uid() != directory.uid()) {
      throw new ErrnoException(Errno.EPERM);
    }
    if (isDirectory != entry.node() instanceof Node.Directory) {
      throw new ErrnoException(isDirectory ? Errno.ENOTDIR : Errno.EISDIR);
    }
    if (!(entry.node() instanceof MemoryNode)) {
      throw new ErrnoException(Errno.EBUSY); // a host file is mounted there
    }
  }

  private static void checkEmpty(Location entry) {
    if (entry.node() instanceof MemoryDirectory directory && !directory.isEmpty()) {
      throw new ErrnoException(Errno.ENOTEMPTY);
    }
  }

  private static void remove(MemoryDirectory directory, Location entry) {
    directory.take(entry);
    entry.remove();
    if (entry.node() instanceof MemoryNode node) {
      node.unlink();
    }
  }

  // ---- renaming ----

  /**
   * rename(2).
   *
   * @param flags RENAME_NOREPLACE or RENAME_EXCHANGE
   */
  public static void rename(Found from, Found to, int flags, Identity who) {
    boolean exchanges = Bits.any(flags, RENAME_EXCHANGE);
    checkFlags(flags);
    checkSameTree(from.directory(), to.directory());
    if (from.isSpecial()) {
      throw new ErrnoException(Errno.EBUSY);
    }
    if (to.isSpecial()) {
      throw new ErrnoException(Bits.any(flags, RENAME_NOREPLACE) ? Errno.EEXIST : Errno.EBUSY);
    }
    MemoryDirectory source = changeable(from.directory());
    MemoryDirectory target = changeable(to.directory());
    Location entry = from.existing().orElseThrow(Found::missing);
    if (Bits.any(flags, RENAME_NOREPLACE) && to.existing().isPresent()) {
      throw new ErrnoException(Errno.EEXIST);
    }
    if (exchanges && to.existing().isEmpty()) {
      throw new ErrnoException(Errno.ENOENT);
    }
    checkSlashes(from, to, exchanges);
    checkAncestors(entry, from, to, exchanges);
    Optional<Location> replaced = to.existing();
    if (replaced.isPresent() && replaced.get().node().equals(entry.node())) {
      return;
    }
    checkMayRename(source, entry, target, replaced, exchanges, who);
    if (exchanges) {
      exchange(source, entry, target, replaced.get());
    } else {
      replaced.ifPresent(old -> remove(target, old));
      move(source, entry, target, to.name());
    }
  }

  private static void checkFlags(int flags) {
    if (flags < 0 || flags > RENAME_EXCHANGE) {
      throw new ErrnoException(Errno.EINVAL);
    }
  }

  private static void checkSameTree(Location one, Location other) {
    boolean both =
        one.node() instanceof MemoryDirectory a
            && other.node() instanceof MemoryDirectory b
            && a.tree() == b.tree();
    boolean neither =
        !(one.node() instanceof MemoryDirectory) && !(other.node() instanceof MemoryDirectory);
    if (!both && !neither) {
      throw new ErrnoException(Errno.EXDEV);
    }
  }

  /** Checks that only paths to directories end with a slash. */
  private static void checkSlashes(Found from, Found to, boolean exchanges) {
    Location entry = from.existing().orElseThrow();
    boolean isDirectory = entry.node() instanceof Node.Directory;
    boolean otherIsDirectory =
        exchanges && to.existing().orElseThrow().node() instanceof Node.Directory;
    if ((from.slash() && !isDirectory)
        || (to.slash() && !(exchanges ? otherIsDirectory : isDirectory))) {
      throw new ErrnoException(Errno.ENOTDIR);
    }
  }

  /** Checks that no directory is moved into itself or onto one of its ancestors. */
  private static void checkAncestors(Location entry, Found from, Found to, boolean exchanges) {
    if (entry.contains(to.directory())) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (to.existing().isPresent() && to.existing().get().contains(from.directory())) {
      throw new ErrnoException(exchanges ? Errno.EINVAL : Errno.ENOTEMPTY);
    }
  }

  private static void checkMayRename(
      MemoryDirectory source,
      Location entry,
      MemoryDirectory target,
      Optional<Location> replaced,
      boolean exchanges,
      Identity who) {
    boolean isDirectory = entry.node() instanceof Node.Directory;
    checkMayTake(source, entry, isDirectory, who);
    if (replaced.isEmpty()) {
      checkMayChange(target, who);
    } else {
      boolean otherIsDirectory = replaced.get().node() instanceof Node.Directory;
      checkMayTake(target, replaced.get(), exchanges ? otherIsDirectory : isDirectory, who);
    }
    boolean changesParent = isDirectory && source != target;
    if (changesParent && !entry.node().allows(who, Access.W_OK)) {
      throw new ErrnoException(Errno.EACCES);
    }
    if (!exchanges) {
      replaced.ifPresent(DirectoryChanges::checkEmpty);
    }
  }

  private static void move(
      MemoryDirectory source, Location entry, MemoryDirectory target, String name) {
    source.take(entry);
    target.adopt(entry, name);
  }

  private static void exchange(
      MemoryDirectory source, Location entry, MemoryDirectory target, Location other) {
    String name = entry.name();
    String otherName = other.name();
    source.take(entry);
    target.take(other);
    target.adopt(entry, otherName);
    source.adopt(other, name);
  }
}
