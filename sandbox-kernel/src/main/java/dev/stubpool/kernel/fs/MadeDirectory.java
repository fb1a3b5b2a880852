package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.FileStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A directory that the kernel made up, above one of the host or not: what it has itself goes first.
 */
final class MadeDirectory implements Node.Directory {
  private static final int MODE = FileStatus.S_IFDIR | 0555;

  private final Map<String, Node> children = new TreeMap<>();
  private final long inode;
  private Optional<Node.Directory> below;

  MadeDirectory(long inode, Optional<Node.Directory> below) {
    this.inode = inode;
    this.below = below;
  }

  /** Lays it above a directory, and those in it that lie above nothing above what that has. */
  void below(Node.Directory directory) {
    below = Optional.of(directory);
    children.forEach(
        (name, child) -> {
          if (child instanceof MadeDirectory made && made.below.isEmpty()) {
            directory.child(name).ifPresent(made::belowNode);
          }
        });
  }

  private void belowNode(Node node) {
    if (node instanceof Node.Directory directory) {
      below(directory);
    }
  }

  void put(String name, Node node) {
    children.put(name, node);
  }

  @Override
  public FileStatus status() {
    return below.map(Node::status).orElseGet(() -> FileStatus.made(MODE, inode, 0));
  }

  @Override
  public Optional<Node> child(String name) {
    Node mine = children.get(name);
    return mine != null ? Optional.of(mine) : below.flatMap(directory -> directory.child(name));
  }

  @Override
  public List<String> names() {
    TreeSet<String> names = new TreeSet<>(children.keySet());
    below.ifPresent(directory -> names.addAll(directory.names()));
    return new ArrayList<>(names);
  }
}
