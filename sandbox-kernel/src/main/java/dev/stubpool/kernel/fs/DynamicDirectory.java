package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.FileStatus;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A directory of proc(5) whose entries are computed on access.
 *
 * @param list gives all names
 * @param entries gives the entry with a name
 */
record DynamicDirectory(
    long inode, Supplier<List<String>> list, Function<String, Optional<Node>> entries)
    implements Node.Directory {
  private static final int MODE = FileStatus.S_IFDIR | 0555;

  @Override
  public FileStatus status() {
    return FileStatus.made(MODE, inode, 0);
  }

  @Override
  public FileSystem fileSystem() {
    return FileSystem.PROC;
  }

  @Override
  public Optional<Location> child(Location here, String name) {
    return entries.apply(name).map(node -> new Location(here, name, node));
  }

  @Override
  public List<String> names() {
    return list.get();
  }
}
