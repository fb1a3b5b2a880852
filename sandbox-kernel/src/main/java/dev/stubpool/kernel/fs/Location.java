package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.Place;
import dev.stubpool.kernel.memory.UserMemory;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * A directory entry: a name in a directory, and its node. For files in memory there is one location
 * for each name, which moves when it is renamed; users of it, such as a working directory, move
 * with it.
 */
public final class Location implements Place {
  private final Node node;
  private Location parent;
  private String name;
  private boolean removed;

  Location(Location parent, String name, Node node) {
    this.parent = parent;
    this.name = name;
    this.node = node;
  }

  /** The root of a tree. */
  static Location root(Node node) {
    return new Location(null, "", node);
  }

  /** The node. */
  public Node node() {
    return node;
  }

  /** The parent directory; the root is its own parent. */
  public Location parent() {
    return parent == null ? this : parent;
  }

  /** The name in the parent directory. */
  String name() {
    return name;
  }

  /** Whether the name was removed; the node may still be in use. */
  public boolean isRemoved() {
    return removed;
  }

  void remove() {
    removed = true;
  }

  /** rename(2). */
  void move(Location to, String newName) {
    parent = to;
    name = newName;
  }

  /** The entry with a name, if this is a directory. */
  Optional<Location> child(String childName) {
    return node instanceof Node.Directory directory
        ? directory.child(this, childName)
        : Optional.empty();
  }

  /** Whether another location is this one or below it. */
  boolean contains(Location other) {
    Location at = other;
    while (at != null && !at.node.equals(node)) {
      at = at.parent;
    }
    return at != null;
  }

  /**
   * {@inheritDoc}
   *
   * @throws ErrnoException ENAMETOOLONG if it is longer than a path may be
   */
  @Override
  public String path() {
    Deque<String> names = new ArrayDeque<>();
    int length = 0;
    for (Location at = this; at.parent != null; at = at.parent) {
      names.push(at.name);
      length += 1 + at.name.length();
      if (length >= UserMemory.PATH_MAX) {
        throw new ErrnoException(Errno.ENAMETOOLONG);
      }
    }
    return "/" + String.join("/", names) + (removed ? " (deleted)" : "");
  }
}
