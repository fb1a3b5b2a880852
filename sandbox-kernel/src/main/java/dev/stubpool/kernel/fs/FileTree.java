package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.Device;
import dev.stubpool.kernel.file.Fifo;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.Storage;
import dev.stubpool.kernel.memory.MemoryBudget;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The file tree of a guest: the host's files, read-only and under their own names, overlaid with
 * the kernel's /dev, /proc, parts of /sys, and a /tmp in memory.
 */
public final class FileTree implements AutoCloseable {
  private static final Identity KERNEL = new Identity(0, 0);

  /**
   * Files may use at most this fraction (one part in this many) of the memory limit and of the
   * JVM's heap.
   */
  private static final int STORAGE_SHARE = 2;

  private static final int ANYBODY_BUT_STICKY = 01777;
  private static final int DIRECTORY_MODE = 0755;

  /** A device number with major 0, like all file systems without a device, that no host has. */
  private static final long TMP_DEVICE = 0xf0;

  private static final long SHM_DEVICE = 0xf1;

  private final HostTree host;
  private final Location root;
  private final Storage storage;
  private long inodes = 1;

  /**
   * Creates the tree.
   *
   * @param top the host directory that is the guest's {@code /}
   * @param memory the budget to which files in memory are charged
   * @param fifos creates FIFOs
   */
  public FileTree(Path top, MemoryBudget memory, Supplier<Fifo> fifos, ProcessViews processes)
      throws IOException {
    host = new HostTree(Identity.ofHost().uid() == 0);
    if (!(host.at(top.toRealPath(), false) instanceof Node.Directory directory)) {
      throw new IOException(top + " is no directory");
    }
    root = Location.root(new MadeDirectory(inodes++, FileSystem.DEVICES, Optional.of(directory)));
    long most =
        Math.min(memory.most() / STORAGE_SHARE, Runtime.getRuntime().maxMemory() / STORAGE_SHARE);
    storage = new Storage(memory, most);
    addDevices(new MemoryTree(storage, SHM_DEVICE, fifos));
    MemoryTree tmp = new MemoryTree(storage, TMP_DEVICE, fifos);
    put(root, tmp.mount(root, "tmp", ANYBODY_BUT_STICKY));
    new ProcTree(processes, memory, () -> inodes++, this)
        .fill(makeDirectory(root, "proc", FileSystem.PROC));
    new SysTree(() -> inodes++).fill(makeDirectory(root, "sys", FileSystem.DEVICES));
  }

  private void addDevices(MemoryTree shm) {
    Location dev = makeDirectory(root, "dev", FileSystem.DEVICES);
    for (Device device : Device.values()) {
      put(dev, new Location(dev, device.fileName(), new DeviceNode(device)));
    }
    String[] names = {"fd", "stdin", "stdout", "stderr"};
    String[] targets = {"", "/0", "/1", "/2"};
    for (int i = 0; i < names.length; i++) {
      MadeLink link = new MadeLink(inodes++, FileSystem.DEVICES, "/proc/self/fd" + targets[i]);
      put(dev, new Location(dev, names[i], link));
    }
    put(dev, shm.mount(dev, "shm", ANYBODY_BUT_STICKY));
  }

  private Location makeDirectory(Location parent, String name, FileSystem fileSystem) {
    MadeDirectory made = new MadeDirectory(inodes++, fileSystem, Optional.empty());
    return put(parent, new Location(parent, name, made));
  }

  /** Puts an entry into a synthetic or in-memory directory. */
  private static Location put(Location directory, Location child) {
    switch (directory.node()) {
      case MadeDirectory made -> made.put(child);
      case MemoryDirectory memory -> memory.replace(child);
      default -> throw new IllegalStateException(directory.path() + " is the host's");
    }
    return child;
  }

  // ---- resolving paths ----

  /** The root directory. */
  public Location root() {
    return root;
  }

  /**
   * Resolves a path up to its last name.
   *
   * @param from the start of a relative path
   * @param end the use of the last name
   * @throws ErrnoException ENOENT if the path is empty or a name before the last is missing, and
   *     ENOTDIR, EACCES, ELOOP, ENAMETOOLONG
   */
  public Found look(Location from, String path, LastName end, Identity who) {
    return new PathWalk(root, from, who).walk(path, end);
  }

  /**
   * Resolves a path to an existing file.
   *
   * @param follow whether a symbolic link at the end is followed
   * @throws ErrnoException as {@link #look}, and ENOENT if nothing is there
   */
  public Location find(Location from, String path, boolean follow, Identity who) {
    return look(from, path, follow ? LastName.FOLLOWED : LastName.KEPT, who)
        .existing()
        .orElseThrow(Found::missing);
  }

  /** The location of an open file; an unnamed file gets a location of its own. */
  public Location locate(OpenFile file) {
    return file.place() instanceof Location location
        ? location
        : new Location(root, file.path(), new OpenNode(file));
  }

  // ---- visibility of host files ----

  /** Hides a host path and the file to which it leads. */
  public void hide(Path path) {
    host.hide(path.toAbsolutePath().normalize());
  }

  /**
   * Makes a host file, or a directory with its contents, visible under its own name regardless of
   * permissions.
   *
   * @throws IOException if there is no file there that a guest may see
   */
  public void add(Path path) throws IOException {
    Path real = path.toRealPath();
    Node node;
    try {
      node = host.at(real, true);
    } catch (NoSuchFileException e) {
      throw new IOException(path + " is not for guests", e);
    }
    lay(path.toAbsolutePath().normalize(), node);
  }

  /** Makes a host directory visible, as by {@link #add}, if its name is overlaid. */
  public void addIfCovered(Path path) throws IOException {
    Path wanted = path.toAbsolutePath().normalize();
    try {
      Location _ = find(root, wanted.toString(), true, KERNEL);
    } catch (ErrnoException e) {
      if (e.errno() == Errno.ENOENT) {
        add(path);
      }
    }
  }

  private void lay(Path path, Node node) {
    if (path.getNameCount() == 0) {
      if (node instanceof Node.Directory directory && root.node() instanceof MadeDirectory made) {
        made.below(root, directory);
      }
      return;
    }
    Location at = root;
    for (Path name : path.getParent()) {
      at = enter(at, HostNames.text(name));
    }
    lay(overlaid(at), HostNames.text(path.getFileName()), node);
  }

  private void lay(Location directory, String name, Node node) {
    Optional<Location> before = ownChild(directory, name);
    if (before.isPresent() && node instanceof Node.Directory below) {
      Location own = overlaid(before.get());
      switch (own.node()) {
        case MadeDirectory made -> made.below(own, below);
        case MemoryDirectory memory -> layBelow(directory, name, memory, below);
        default -> throw new IllegalStateException(own.path() + " is the host's");
      }
    } else {
      put(directory, new Location(directory, name, node));
    }
  }

  private static Optional<Location> ownChild(Location directory, String name) {
    try {
      return directory.child(name).filter(FileTree::isOwn);
    } catch (ErrnoException _) {
      return Optional.empty(); // below a directory that is not searchable
    }
  }

  private static boolean isOwn(Location location) {
    return location.node() instanceof MadeDirectory || location.node() instanceof MemoryDirectory;
  }

  /** Replaces a directory in memory that was only created to hold its entries. */
  private void layBelow(
      Location directory, String name, MemoryDirectory memory, Node.Directory below) {
    MadeDirectory made = new MadeDirectory(inodes++, FileSystem.HOST, Optional.of(below));
    Location here = put(directory, new Location(directory, name, made));
    for (Location entry : memory.entries()) {
      entry.move(here, entry.name());
      made.put(entry);
    }
  }

  /** Finds or creates the directory with a name. */
  private Location enter(Location at, String name) {
    Optional<Location> next;
    try {
      next = look(at, name, LastName.FOLLOWED, KERNEL).existing();
    } catch (ErrnoException _) {
      next = Optional.empty(); // not a file that a guest may see
    }
    return next.filter(found -> found.node() instanceof Node.Directory)
        .orElseGet(() -> enterNew(overlaid(at), name));
  }

  private Location enterNew(Location at, String name) {
    if (at.node() instanceof MemoryDirectory memory) {
      return memory.add(name, new MemoryDirectory(memory.tree(), DIRECTORY_MODE, KERNEL));
    }
    return makeDirectory(at, name, FileSystem.HOST);
  }

  /** Overlays a host directory with a synthetic one. */
  private Location overlaid(Location at) {
    if (isOwn(at) || !(at.node() instanceof Node.Directory below)) {
      return at;
    }
    Location parent = overlaid(at.parent());
    MadeDirectory made = new MadeDirectory(inodes++, FileSystem.HOST, Optional.of(below));
    return put(parent, new Location(parent, at.name(), made));
  }

  /** Closes open host files and releases files in memory. */
  @Override
  public void close() {
    storage.close();
    host.close();
  }
}
