package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.memory.GuestString;

/** A symbolic link in memory. */
final class MemoryLink extends MemoryNode implements Node.Link {
  private final String target;

  MemoryLink(MemoryTree tree, String target, Identity owner) {
    super(tree, FileStatus.S_IFLNK | 0777, owner);
    this.target = target;
  }

  @Override
  public String target() {
    touchAccessed();
    return target;
  }

  @Override
  long size() {
    return GuestString.bytes(target).length;
  }
}
