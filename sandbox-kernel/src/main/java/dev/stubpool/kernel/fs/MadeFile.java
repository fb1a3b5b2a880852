package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.TextFile;
import java.util.function.Supplier;

/**
 * A synthetic file.
 *
 * @param text generates its contents for each reader
 */
record MadeFile(long inode, FileSystem fileSystem, Supplier<String> text) implements Node.File {
  private static final int MODE = FileStatus.S_IFREG | 0444;

  @Override
  public FileStatus status() {
    return FileStatus.made(MODE, inode, 0);
  }

  @Override
  public OpenFile open(Location here, int flags) {
    return new TextFile(flags, this::status, text);
  }
}
