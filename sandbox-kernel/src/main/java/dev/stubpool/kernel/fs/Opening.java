package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenDirectory;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.PathFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The operation of open(2), with its errors in Linux's order.
 *
 * @param flags the flags of open(2)
 * @param permissions the mode of a new file, after umask(2)
 */
public record Opening(int flags, int permissions, Identity who) {
  /** O_TMPFILE: a file without a name in a directory. */
  private static final int O_TMPFILE = OpenFlags.TMPFILE_BIT | OpenFlags.O_DIRECTORY;

  private static final int WITH_O_PATH =
      OpenFlags.O_PATH | OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW | OpenFlags.O_CLOEXEC;

  /** Flags that only affect opening, and are not kept. */
  private static final int NOT_KEPT =
      OpenFlags.O_CREAT
          | OpenFlags.O_EXCL
          | OpenFlags.O_TRUNC
          | OpenFlags.O_CLOEXEC
          | OpenFlags.TMPFILE_BIT
          | 0x100; // O_NOCTTY

  /** With O_PATH, drops the flags that it ignores. */
  public Opening {
    if (Bits.any(flags, OpenFlags.O_PATH)) {
      flags &= WITH_O_PATH;
    }
  }

  private boolean has(int flag) {
    return Bits.any(flags, flag);
  }

  /** Opens the file at a path. */
  public OpenFile open(FileTree tree, Location from, String path) {
    checkFlags();
    if (has(OpenFlags.TMPFILE_BIT)) {
      Location directory = tree.find(from, path, !has(OpenFlags.O_NOFOLLOW), who);
      if (!(directory.node() instanceof Node.Directory)) {
        throw new ErrnoException(Errno.ENOTDIR);
      }
      return opened(DirectoryChanges.makeUnnamed(directory, permissions, who));
    }
    Found found = tree.look(from, path, lastName(), who);
    if (has(OpenFlags.O_CREAT) && found.slash() && !found.isSpecial()) {
      throw new ErrnoException(Errno.EISDIR);
    }
    if (found.existing().isEmpty()) {
      if (!has(OpenFlags.O_CREAT)) {
        throw new ErrnoException(Errno.ENOENT);
      }
      return opened(DirectoryChanges.makeFile(found, permissions, who));
    }
    if (has(OpenFlags.O_CREAT) && has(OpenFlags.O_EXCL)) {
      throw new ErrnoException(Errno.EEXIST);
    }
    return open(found.existing().get());
  }

  private void checkFlags() {
    boolean makesUnnamed = has(OpenFlags.TMPFILE_BIT);
    if ((makesUnnamed
            && ((flags & O_TMPFILE) != O_TMPFILE
                || has(OpenFlags.O_CREAT)
                || !OpenFlags.writes(flags)))
        || (!makesUnnamed && has(OpenFlags.O_CREAT) && has(OpenFlags.O_DIRECTORY))) {
      throw new ErrnoException(Errno.EINVAL);
    }
  }

  private LastName lastName() {
    boolean follows = !has(OpenFlags.O_NOFOLLOW);
    if (has(OpenFlags.O_CREAT)) {
      return follows && !has(OpenFlags.O_EXCL) ? LastName.CREATED : LastName.CHANGED;
    }
    return follows ? LastName.FOLLOWED : LastName.KEPT;
  }

  /**
   * Opens a program to be executed, execve(2); read permission is not needed.
   *
   * @throws ErrnoException EACCES if it is not a regular file, or is not executable
   */
  public static OpenFile ofProgram(Location at, Identity who) {
    if (at.node().status().type() != FileStatus.S_IFREG) {
      throw new ErrnoException(Errno.EACCES);
    }
    checkAccess(at.node(), Access.X_OK, who);
    return new Opening(OpenFlags.O_RDONLY, 0, who).opened(at);
  }

  /** Opens the file at a location. */
  public OpenFile open(Location at) {
    Node node = at.node();
    boolean isDirectory = node instanceof Node.Directory;
    if (has(OpenFlags.O_CREAT) && isDirectory) {
      throw new ErrnoException(Errno.EISDIR);
    }
    if (has(OpenFlags.O_DIRECTORY) && !isDirectory) {
      throw new ErrnoException(Errno.ENOTDIR);
    }
    if (has(OpenFlags.O_PATH)) {
      return new PathFile(flags & ~NOT_KEPT, node::status).at(at);
    }
    if (node instanceof Node.Link) {
      throw new ErrnoException(Errno.ELOOP);
    }
    int access = Access.of(flags);
    if (isDirectory && Bits.any(access, Access.W_OK)) {
      throw new ErrnoException(Errno.EISDIR);
    }
    checkAccess(node, access, who);
    OpenFile file = opened(at);
    if (has(OpenFlags.O_TRUNC) && node instanceof MemoryFile memory) {
      memory.resize(0);
    }
    return file;
  }

  /**
   * Checks an access, access(2).
   *
   * @throws ErrnoException EROFS or EACCES
   */
  public static void checkAccess(Node node, int access, Identity who) {
    if (Bits.any(access, Access.W_OK) && node.fileSystem().readOnly() && isOfTheDisk(node)) {
      throw new ErrnoException(Errno.EROFS);
    }
    if (!node.allows(who, access)) {
      throw new ErrnoException(Errno.EACCES);
    }
  }

  private static boolean isOfTheDisk(Node node) {
    return switch (node.status().type()) {
      case FileStatus.S_IFREG, FileStatus.S_IFDIR, FileStatus.S_IFLNK -> true;
      default -> false;
    };
  }

  private OpenFile opened(Location at) {
    int kept = flags & ~NOT_KEPT;
    return switch (at.node()) {
      case Node.Directory directory ->
          new OpenDirectory(kept, new DirectorySource(at, directory)).at(at);
      case Node.File file -> placed(file.open(at, kept), at);
      case Node.NamedPipe pipe -> pipe.open(at, kept).at(at);
      case Node.Closed closed -> throw new ErrnoException(closed.refusal());
      case Node.Link _ -> throw new ErrnoException(Errno.ELOOP);
    };
  }

  /** Sets the location of a newly opened file; one that was open already keeps its location. */
  private static OpenFile placed(OpenFile file, Location at) {
    return file.place() == null && !(at.node() instanceof OpenNode) ? file.at(at) : file;
  }

  private record DirectorySource(Location at, Node.Directory directory)
      implements OpenDirectory.Source {
    private static final OpenDirectory.Entry UNKNOWN = new OpenDirectory.Entry(1, 0);

    @Override
    public FileStatus status() {
      return directory.status();
    }

    @Override
    public List<String> names() {
      List<String> names = new ArrayList<>(List.of(".", ".."));
      names.addAll(directory.names());
      return names;
    }

    @Override
    public Optional<OpenDirectory.Entry> entry(String name) {
      try {
        return find(name)
            .map(found -> found.node().status())
            .map(status -> new OpenDirectory.Entry(status.inode(), status.type()));
      } catch (ErrnoException _) {
        return Optional.of(UNKNOWN); // only its name may be listed
      }
    }

    private Optional<Location> find(String name) {
      return switch (name) {
        case "." -> Optional.of(at);
        case ".." -> Optional.of(at.parent());
        default -> at.child(name);
      };
    }
  }
}
