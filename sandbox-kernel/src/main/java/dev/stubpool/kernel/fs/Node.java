package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenFile;
import java.util.List;
import java.util.Optional;

/**
 * A file in the tree. Directories resolve a single name and never follow links, so that files are
 * only reached by a {@link PathWalk}. Every method may throw {@link ErrnoException}.
 */
public sealed interface Node {
  /** lstat(2). */
  FileStatus status();

  /** statfs(2). */
  FileSystem fileSystem();

  /**
   * Whether its permissions allow an access; a read-only file system is not considered.
   *
   * @param access R_OK, W_OK and X_OK
   */
  default boolean allows(Identity who, int access) {
    return status().allows(who, access);
  }

  /** A directory. */
  non-sealed interface Directory extends Node {
    /**
     * The entry with a name; the name is not empty, {@code .} or {@code ..}, and has no slash.
     *
     * @param here the location of this directory
     */
    Optional<Location> child(Location here, String name);

    /** All names except {@code .} and {@code ..}. */
    List<String> names();
  }

  /** A symbolic link. */
  non-sealed interface Link extends Node {
    /** The target; resolved in the guest's tree, like any path. */
    String target();

    /**
     * The location to which it leads directly, like the links of proc(5); empty if its target is
     * resolved as a path.
     */
    default Optional<Location> jump() {
      return Optional.empty();
    }
  }

  /** Any other file that can be opened. */
  non-sealed interface File extends Node {
    /**
     * Opens the file.
     *
     * @param here its location
     * @param flags the flags of open(2)
     */
    OpenFile open(Location here, int flags);
  }

  /** A FIFO, fifo(7). The caller waits for the other end after opening. */
  non-sealed interface NamedPipe extends Node {
    /**
     * Opens an end without waiting.
     *
     * @param here its location
     * @param flags the flags of open(2)
     */
    OpenFile open(Location here, int flags);
  }

  /** A file that cannot be opened, such as a socket. */
  non-sealed interface Closed extends Node {
    /** The error of opening it. */
    default Errno refusal() {
      return Errno.EACCES;
    }
  }
}
