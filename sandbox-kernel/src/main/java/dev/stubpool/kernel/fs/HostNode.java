package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import java.io.IOException;
import java.nio.file.AccessMode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Base of all host files: their location and identity. */
abstract class HostNode {
  private static final long KNOWN_FOR = Duration.ofMillis(20).toNanos();

  private final HostTree tree;
  private final HostDirectory above;
  private final Path path;
  private final Object key;
  private final boolean trusted;
  private FileStatus status;
  private long asOf = System.nanoTime();

  /**
   * Creates a node.
   *
   * @param above the directory in which it was found; null for a tree's root
   * @param trusted whether it may be read regardless of its permissions
   */
  HostNode(
      HostTree tree,
      HostDirectory above,
      Path path,
      Map<String, Object> attributes,
      boolean trusted) {
    this.tree = tree;
    this.above = above;
    this.path = path;
    this.key = attributes.get("fileKey");
    this.status = FileStatus.of(attributes);
    this.trusted = trusted;
  }

  final HostTree tree() {
    return tree;
  }

  final HostDirectory above() {
    return above;
  }

  final Path path() {
    return path;
  }

  /** The identity of the file. */
  final Object key() {
    return key;
  }

  final boolean isTrusted() {
    return trusted;
  }

  /** Whether the cached status is recent. */
  final boolean isFresh() {
    return System.nanoTime() - asOf < KNOWN_FOR;
  }

  /** The current status; the cached one if the file is no longer where it was found. */
  public FileStatus status() {
    if (!isFresh()) {
      try {
        Map<String, Object> attributes = HostTree.attributes(path);
        if (key.equals(attributes.get("fileKey"))) {
          status = FileStatus.of(attributes);
        }
      } catch (IOException _) {
        // It is no longer there.
      }
      asOf = System.nanoTime();
    }
    return status;
  }

  public FileSystem fileSystem() {
    return FileSystem.HOST;
  }

  public boolean allows(Identity who, int access) {
    FileStatus now = status();
    return (trusted || tree.mayNobody(now, access))
        && (now.allows(who, access) || hostAllows(who, access));
  }

  /** Asks the host, which knows groups and access control lists. */
  private boolean hostAllows(Identity who, int access) {
    if (who.uid() == 0) {
      return false;
    }
    List<AccessMode> modes = new ArrayList<>();
    if (Bits.any(access, Access.R_OK)) {
      modes.add(AccessMode.READ);
    }
    if (Bits.any(access, Access.W_OK)) {
      modes.add(AccessMode.WRITE);
    }
    if (Bits.any(access, Access.X_OK)) {
      modes.add(AccessMode.EXECUTE);
    }
    try {
      path.getFileSystem().provider().checkAccess(path, modes.toArray(AccessMode[]::new));
      return true;
    } catch (IOException _) {
      return false;
    }
  }
}
