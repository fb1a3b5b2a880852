package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.FileStatus;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A synthetic symbolic link.
 *
 * @param text its target as text
 * @param destination its target, if that differs from the text
 */
record MadeLink(
    long inode,
    FileSystem fileSystem,
    Supplier<String> text,
    Supplier<Optional<Location>> destination)
    implements Node.Link {
  private static final int MODE = FileStatus.S_IFLNK | 0777;

  /** Creates a link that leads to its textual target. */
  MadeLink(long inode, FileSystem fileSystem, String target) {
    this(inode, fileSystem, () -> target, Optional::empty);
  }

  @Override
  public FileStatus status() {
    return FileStatus.made(MODE, inode, 0);
  }

  @Override
  public String target() {
    return text.get();
  }

  @Override
  public Optional<Location> jump() {
    return destination.get();
  }
}
