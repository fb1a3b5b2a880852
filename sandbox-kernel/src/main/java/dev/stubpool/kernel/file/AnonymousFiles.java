package dev.stubpool.kernel.file;

/** What stat(2) tells of files that have neither a name nor a kind: Linux has one inode for all. */
final class AnonymousFiles {
  private static final int MODE = 0600;

  private AnonymousFiles() {}

  static FileStatus status() {
    return FileStatus.made(MODE, 1, 0);
  }
}
