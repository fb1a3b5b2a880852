package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.Fifo;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.Storage;
import java.util.function.Supplier;

/** A file system in memory, tmpfs(5): the shared state of its files. */
final class MemoryTree {
  /** The memory charged for a name, which for a file's first name includes its inode. */
  private static final int NODE_SIZE = 1024;

  private final Storage storage;
  private final long device;
  private final Supplier<Fifo> fifos;
  private long inodes = 1;

  /**
   * Creates an empty file system.
   *
   * @param device its device number
   * @param fifos creates FIFOs
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

  /** Charges a file with one name; returns its inode number. */
  long nextInode() {
    charge();
    return inodes++;
  }

  /** Charges a name. */
  void charge() {
    storage.charge(NODE_SIZE);
  }

  /** Releases the charge for a name. */
  void uncharge() {
    storage.uncharge(NODE_SIZE);
  }

  FileSystem fileSystem() {
    return FileSystem.memory(storage.most(), storage.free());
  }

  /** Creates the root directory of this file system, at a place in another one. */
  Location mount(Location parent, String name, int mode) {
    MemoryDirectory directory = new MemoryDirectory(this, mode, new Identity(0, 0));
    Location here = new Location(parent, name, directory);
    directory.isAt(here);
    return here;
  }
}
