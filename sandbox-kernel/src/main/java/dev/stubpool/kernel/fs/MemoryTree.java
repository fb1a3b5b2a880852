package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.Fifo;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.Storage;
import java.util.function.Supplier;

/** Files that lie in memory, tmpfs(5): what all of them have in common. */
final class MemoryTree {
  /** What a name takes, and with the first of a file that beside its bytes. */
  private static final int NODE_SIZE = 1024;

  private final Storage storage;
  private final long device;
  private final Supplier<Fifo> fifos;
  private long inodes = 1;

  /**
   * Makes an empty one.
   *
   * @param device its number
   * @param fifos makes what is behind the name of a pipe
   */
  MemoryTree(Storage storage, long device, Supplier<Fifo> fifos) {
    this.storage = storage;
    this.device = device;
    this.fifos = fifos;
  }

  Storage storage() {
    return storage;
  }

  long device() {
    return device;
  }

  Fifo fifo() {
    return fifos.get();
  }

  /** Takes room for a file with one name; its number. */
  long nextInode() {
    charge();
    return inodes++;
  }

  /** Takes room for a name. */
  void charge() {
    storage.charge(NODE_SIZE);
  }

  /** Gives that back. */
  void uncharge() {
    storage.uncharge(NODE_SIZE);
  }

  FileSystem fileSystem() {
    return FileSystem.memory(storage.most(), storage.free());
  }

  /** A directory for a place that is in no directory of this tree. */
  Location mount(Location parent, String name, int mode) {
    MemoryDirectory directory = new MemoryDirectory(this, mode, new Identity(0, 0));
    Location here = new Location(parent, name, directory);
    directory.isAt(here);
    return here;
  }
}
