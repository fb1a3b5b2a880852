package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.FileStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Files of the host, to be read. Links are told, not followed. If this JVM runs as root, there is
 * nothing to be read but what an unprivileged user may read too.
 */
final class HostTree implements AutoCloseable {
  private static final String ATTRIBUTES = FileStatus.ATTRIBUTES + ",fileKey";

  private static final int MOST_KNOWN = 512;

  private final HostDirectories directories = new HostDirectories();
  private final HostDevices devices;
  private final Set<Path> hidden = new HashSet<>();

  /** What was there when it was hidden: it stays so under whatever name it gets. */
  private final Set<Object> hiddenKeys = new HashSet<>();

  /** Files that are open or mapped, by key: while one is, its key is no other file's. */
  private final Map<Object, HeldFile> held = new HashMap<>();

  /** Directories that were found a moment ago, for paths lead through the same ones often. */
  private final Map<Path, HostDirectory> known =
      new LinkedHashMap<>(MOST_KNOWN, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Path, HostDirectory> eldest) {
          return size() > MOST_KNOWN;
        }
      };

  private final boolean asNobody;

  /** Files as somebody with no rights of his own sees them, or as this JVM does. */
  HostTree(boolean asNobody) throws IOException {
    this.devices = new HostDevices();
    this.asNobody = asNobody;
  }

  /** Says that there is nothing at a path, and at what it leads to. */
  void hide(Path path) {
    hidden.add(path);
    Path parent = path.getParent();
    try {
      if (parent != null) {
        hidden.add(parent.toRealPath().resolve(path.getFileName())); // what may come there
      }
      hiddenKeys.add(attributes(path).get("fileKey"));
      Path real = path.toRealPath();
      hidden.add(real);
      hiddenKeys.add(attributes(real).get("fileKey"));
    } catch (IOException _) {
      // It leads nowhere.
    }
  }

  HostDirectories directories() {
    return directories;
  }

  /** A path to what has a node's name now, in the directory that the node was found in. */
  Path here(HostNode node) throws IOException {
    return directories.path(node.above(), node.path().getFileName());
  }

  /** Opens a file once more, or makes it one that is open. */
  HeldFile use(HostFile file) throws IOException {
    Object key = file.key();
    HeldFile opened = held.get(key);
    if (opened == null) {
      opened = HeldFile.open(here(file), key, () -> held.remove(key));
      held.put(key, opened);
    }
    opened.use();
    return opened;
  }

  /**
   * What is at a path.
   *
   * @param real absolute, and without links
   * @param trusted whether it may be read whatever its permissions
   * @throws NoSuchFileException if nothing is there that a guest may see
   */
  Node at(Path real, boolean trusted) throws IOException {
    Path parent = real.getParent();
    HostDirectory above =
        parent == null ? null : new HostDirectory(this, null, parent, attributes(parent), trusted);
    return node(above, real, attributes(real), trusted)
        .orElseThrow(() -> new NoSuchFileException(real.toString()));
  }

  static Map<String, Object> attributes(Path path) throws IOException {
    return Files.readAttributes(path, ATTRIBUTES, LinkOption.NOFOLLOW_LINKS);
  }

  /** What has a name in a directory. */
  Optional<Node> child(HostDirectory directory, String name) {
    Optional<Path> path = HostNames.in(directory.path(), name);
    if (path.isEmpty() || hidden.contains(path.get())) {
      return Optional.empty();
    }
    HostDirectory found = known.get(path.get());
    if (found != null && found.isIn(directory) && found.isFresh()) {
      return Optional.of(found);
    }
    try {
      Map<String, Object> attributes =
          attributes(directories.path(directory, path.get().getFileName()));
      Optional<Node> node = node(directory, path.get(), attributes, directory.isTrusted());
      if (node.isPresent() && node.get() instanceof HostDirectory below) {
        known.put(path.get(), below);
      }
      return node;
    } catch (NoSuchFileException | NotDirectoryException _) {
      return Optional.empty(); // a directory that was found and is no more, at the latest
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  private Optional<Node> node(
      HostDirectory above, Path path, Map<String, Object> attributes, boolean trusted)
      throws IOException {
    FileStatus status = FileStatus.of(attributes);
    if (hidden.contains(path)
        || hiddenKeys.contains(attributes.get("fileKey"))
        || !devices.areForGuests(status.device())) {
      return Optional.empty();
    }
    return Optional.of(
        switch (status.type()) {
          case FileStatus.S_IFDIR -> new HostDirectory(this, above, path, attributes, trusted);
          case FileStatus.S_IFREG -> new HostFile(this, above, path, attributes, trusted);
          case FileStatus.S_IFLNK -> new HostLink(this, above, path, attributes, trusted);
          default -> new HostOther(this, above, path, attributes, trusted);
        });
  }

  boolean isHidden(Path path) {
    return hidden.contains(path);
  }

  /** Whether what permissions say counts for others than this JVM's user too. */
  boolean mayNobody(FileStatus status, int access) {
    return !asNobody || !Bits.any(access & ~status.mode(), 7);
  }

  @Override
  public void close() {
    held.values().forEach(HeldFile::close);
    directories.close();
  }
}
