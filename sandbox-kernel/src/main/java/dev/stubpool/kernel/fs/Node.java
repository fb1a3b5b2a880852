package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.OpenFile;
import java.util.List;
import java.util.Optional;

/**
 * Something that has a name. Directories are asked for one name at a time and never follow links,
 * so that nothing is reached but by {@link FileTree#resolve}. Every method may throw {@link
 * dev.stubpool.kernel.abi.ErrnoException}.
 */
public sealed interface Node {
  /** lstat(2). */
  FileStatus status();

  /** A directory. */
  non-sealed interface Directory extends Node {
    /** What has a name in it; the name is not empty, {@code .} or {@code ..}, and has no slash. */
    Optional<Node> child(String name);

    /** All names, but for {@code .} and {@code ..}. */
    List<String> names();
  }

  /** A symbolic link. */
  non-sealed interface Link extends Node {
    /** What it says; resolved among what the guest sees, like any path. */
    String target();
  }

  /** Anything else. */
  non-sealed interface File extends Node {
    /**
     * Opens it.
     *
     * @param path what the guest calls it
     * @param flags of open(2)
     */
    OpenFile open(String path, int flags);

    /** Whether a guest may write to it. */
    default boolean isWritable() {
      return false;
    }
  }
}
