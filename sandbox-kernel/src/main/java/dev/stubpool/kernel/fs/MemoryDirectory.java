package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** A directory in memory. Entries of other trees in it (mount points) cannot be removed. */
final class MemoryDirectory extends MemoryNode implements Node.Directory {
  private static final int BYTES_OF_AN_ENTRY = 20; // as in tmpfs

  private final TreeMap<String, Location> entries = new TreeMap<>();
  private Location here;
  private int directories;

  MemoryDirectory(MemoryTree tree, int permissions, Identity owner) {
    super(tree, FileStatus.S_IFDIR | permissions, owner);
  }

  /** Sets its location. */
  void isAt(Location location) {
    here = location;
  }

  /** All its entries. */
  List<Location> entries() {
    return List.copyOf(entries.values());
  }

  boolean isEmpty() {
    return entries.isEmpty();
  }

  /** Whether its name was removed. */
  boolean isRemoved() {
    return here.isRemoved();
  }

  @Override
  long size() {
    return (2L + entries.size()) * BYTES_OF_AN_ENTRY;
  }

  @Override
  long links() {
    return isRemoved() ? 0 : 2L + directories;
  }

  /** Removes its only name. */
  @Override
  void unlink() {
    endIfUnused();
  }

  @Override
  public Optional<Location> child(Location from, String name) {
    return Optional.ofNullable(entries.get(name));
  }

  @Override
  public List<String> names() {
    if (isRemoved()) {
      throw new ErrnoException(Errno.ENOENT);
    }
    touchAccessed();
    return new ArrayList<>(entries.keySet());
  }

  /** Adds an entry with a new name. */
  Location add(String name, Node node) {
    Location entry = new Location(here, name, node);
    put(entry);
    if (node instanceof MemoryDirectory directory) {
      directory.isAt(entry);
    }
    return entry;
  }

  /** Adds an entry, replacing one with the same name. */
  void replace(Location entry) {
    Location before = entries.get(entry.name());
    if (before != null) {
      take(before);
    }
    put(entry);
  }

  /** Moves an entry from another directory here, under a name. */
  void adopt(Location entry, String name) {
    entry.move(here, name);
    put(entry);
    if (entry.node() instanceof MemoryNode node) {
      node.touchChanged();
    }
  }

  /** Adds an entry. */
  void put(Location entry) {
    entries.put(entry.name(), entry);
    directories += entry.node() instanceof Node.Directory ? 1 : 0;
    touchModified();
  }

  /** Removes an entry, which is moved or deleted. */
  void take(Location entry) {
    entries.remove(entry.name());
    directories -= entry.node() instanceof Node.Directory ? 1 : 0;
    touchModified();
  }
}
