package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenFile;
import java.util.List;
import java.util.Optional;

/**
 * What a name stands for. Directories are asked for one name at a time and never follow links, so
 * that nothing is reached but by a {@link PathWalk}. Every method may throw {@link ErrnoException}.
 */
public sealed interface Node {
  /** lstat(2). */
  FileStatus status();

  /** statfs(2). */
  FileSystem fileSystem();

  /**
   * Whether its permissions allow an access; that it can be read only is another matter.
   *
   * @param access R_OK and so on
   */
  default boolean allows(Identity who, int access) {
    return status().allows(who, access);
  }

  /** A directory. */
  non-sealed interface Directory extends Node {
    /**
     * What has a name in it; the name is not empty, {@code .} or {@code ..}, and has no slash.
     *
     * @param here where the directory is
     */
    Optional<Location> child(Location here, String name);

    /** All names, but for {@code .} and {@code ..}. */
    List<String> names();
  }

  /** A symbolic link. */
  non-sealed interface Link extends Node {
    /** What it says; resolved among what the guest sees, like any path. */
    String target();

    /** Where it leads whatever it says, as those of proc(5) do; empty if that is what it says. */
    default Optional<Location> jump() {
      return Optional.empty();
    }
  }

  /** Anything else that can be opened. */
  non-sealed interface File extends Node {
    /**
     * Opens it.
     *
     * @param here where it was found
     * @param flags of open(2)
     */
    OpenFile open(Location here, int flags);
  }

  /** A name of a pipe, fifo(7). Who opens it waits for the other end. */
  non-sealed interface NamedPipe extends Node {
    /**
     * Opens an end at once.
     *
     * @param here where it was found
     * @param flags of open(2)
     */
    OpenFile open(Location here, int flags);
  }

  /** What cannot be opened: a socket, for one. */
  non-sealed interface Closed extends Node {
    /** What opening it fails with. */
    default Errno refusal() {
      return Errno.EACCES;
    }
  }
}
