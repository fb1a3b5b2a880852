package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A synthetic directory, which may overlay another directory. Its own entries take precedence, and
 * are visible regardless of the permissions of the directory below.
 */
final class MadeDirectory implements Node.Directory {
  private static final int MODE = FileStatus.S_IFDIR | 0555;

  private final Map<String, Location> children = new TreeMap<>();
  private final long inode;
  private final FileSystem fileSystem;
  private Optional<Node.Directory> below;

  MadeDirectory(long inode, FileSystem fileSystem, Optional<Node.Directory> below) {
    this.inode = inode;
    this.fileSystem = fileSystem;
    this.below = below;
  }

  void put(Location child) {
    children.put(child.name(), child);
  }

  /** Overlays another directory; synthetic directories in it overlay their counterparts there. */
  void below(Location here, Node.Directory directory) {
    below = Optional.of(directory);
    for (Location child : children.values()) {
      if (child.node() instanceof MadeDirectory made && made.below.isPresent()) {
        directory
            .child(here, child.name())
            .map(Location::node)
            .filter(Node.Directory.class::isInstance)
            .ifPresent(node -> made.below(child, (Node.Directory) node));
      }
    }
  }

  @Override
  public FileStatus status() {
    return below.map(Node::status).orElseGet(() -> FileStatus.made(MODE, inode, 0));
  }

  @Override
  public FileSystem fileSystem() {
    return below.map(Node::fileSystem).orElse(fileSystem);
  }

  @Override
  public boolean allows(Identity who, int access) {
    boolean reads = Bits.any(access, Access.R_OK);
    return !reads || below.map(node -> node.allows(who, Access.R_OK)).orElse(true);
  }

  @Override
  public Optional<Location> child(Location here, String name) {
    Location mine = children.get(name);
    return mine != null
        ? Optional.of(mine)
        : below.flatMap(directory -> directory.child(here, name));
  }

  @Override
  public List<String> names() {
    TreeSet<String> names = new TreeSet<>(children.keySet());
    below.ifPresent(directory -> names.addAll(directory.names()));
    return new ArrayList<>(names);
  }
}
