package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.Fifo;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenFile;

/** A FIFO in memory, mkfifo(3). */
final class MemoryFifo extends MemoryNode implements Node.NamedPipe {
  private final Fifo pipe;

  MemoryFifo(MemoryTree tree, int permissions, Identity owner) {
    super(tree, FileStatus.S_IFIFO | permissions, owner);
    pipe = tree.fifo();
  }

  @Override
  public OpenFile open(Location here, int flags) {
    return pipe.open(here.path(), flags, this::status);
  }

  @Override
  long size() {
    return 0;
  }
}
