package dev.stubpool.kernel.file;

/**
 * The status of files without a name or type, stat(2): as in Linux, all of them share one inode.
 */
final class AnonymousFiles {
  private static final int MODE = 0600;

  private AnonymousFiles() {}

  static FileStatus status() {
    return FileStatus.made(MODE, 1, 0);
  }
}
