package dev.stubpool.kernel.file;

import java.time.Instant;

/** A file in memory without a name in the file tree, memfd_create(2). */
final class MemoryObject implements ContentFile.Inode {
  private static final int MODE = FileStatus.S_IFREG | 0777;

  /**
   * The device number, unique among file systems; in Linux these files have a tmpfs of their own.
   */
  private static final long DEVICE = 1;

  private static final int SECTOR = 512;

  private final FileContent content;
  private final long number;
  private final Identity owner;
  private Instant accessed = Instant.now();
  private Instant modified = accessed;

  private MemoryObject(Storage storage, String path, long number, Identity owner) {
    this.content = new FileContent(storage, () -> path);
    this.number = number;
    this.owner = owner;
  }

  /** Creates a file and opens it. */
  static OpenFile make(Storage storage, String name, long number, Identity owner, int flags) {
    String path = "/memfd:" + name + " (deleted)";
    return new ContentFile(flags, new MemoryObject(storage, path, number, owner)).at(() -> path);
  }

  @Override
  public FileContent content() {
    return content;
  }

  @Override
  public FileStatus status() {
    return new FileStatus(
        DEVICE,
        number,
        0,
        MODE,
        owner.uid(),
        owner.gid(),
        0,
        content.size(),
        Math.ceilDiv(content.allocated(), SECTOR),
        accessed,
        modified,
        modified);
  }

  @Override
  public void accessed() {
    accessed = Instant.now();
  }

  @Override
  public void modified() {
    modified = Instant.now();
  }

  @Override
  public void closed() {
    content.discard();
  }
}
