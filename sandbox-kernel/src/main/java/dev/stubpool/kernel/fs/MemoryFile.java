package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.ContentFile;
import dev.stubpool.kernel.file.FileContent;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenFile;

/** A regular file in memory. Its contents live as long as it has a name, is open, or is mapped. */
final class MemoryFile extends MemoryNode implements Node.File, ContentFile.Inode {
  private final FileContent content;
  private Location where;
  private int open;
  private boolean ended;

  MemoryFile(MemoryTree tree, int permissions, Identity owner) {
    super(tree, FileStatus.S_IFREG | permissions, owner);
    content = new FileContent(tree.storage(), () -> where == null ? "" : where.path());
  }

  @Override
  public FileContent content() {
    return content;
  }

  @Override
  long size() {
    return content.size();
  }

  @Override
  long allocated() {
    return content.allocated();
  }

  @Override
  public OpenFile open(Location here, int flags) {
    open++;
    where = here;
    return new ContentFile(flags, this);
  }

  @Override
  public void accessed() {
    touchAccessed();
  }

  @Override
  public void modified() {
    touchModified();
  }

  /** truncate(2). */
  void resize(long size) {
    content.resize(size);
    touchModified();
  }

  @Override
  public void closed() {
    open--;
    endIfUnused();
  }

  @Override
  void endIfUnused() {
    if (links() == 0 && open == 0 && !ended) {
      ended = true;
      content.discard();
      super.endIfUnused();
    }
  }
}
