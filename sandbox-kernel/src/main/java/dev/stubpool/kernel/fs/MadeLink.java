package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.FileStatus;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A link that the kernel made up.
 *
 * @param text what it says
 * @param destination where it leads, if not where it says
 */
record MadeLink(
    long inode,
    FileSystem fileSystem,
    Supplier<String> text,
    Supplier<Optional<Location>> destination)
    implements Node.Link {
  private static final int MODE = FileStatus.S_IFLNK | 0777;

  /** A link that leads where it says. */
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
