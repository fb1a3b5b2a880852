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
 * The host's files, read-only. Symbolic links are returned, not followed. If this JVM runs as root,
 * only files that an unprivileged user may read are readable.
 */
final class HostTree implements AutoCloseable {
  private static final String ATTRIBUTES = FileStatus.ATTRIBUTES + ",fileKey";

  private static final int MOST_KNOWN = 512;

  private final HostDirectories directories = new HostDirectories();
  private final HostDevices devices;
  private final Set<Path> hidden = new HashSet<>();

  /** Keys of hidden files, which stay hidden when they are renamed. */
  private final Set<Object> hiddenKeys = new HashSet<>();

  /** Files that are open or mapped, by key; while a file is in use, its key is not reused. */
  private final Map<Object, HeldFile> held = new HashMap<>();

  /** A cache of recently found directories. */
  private final Map<Path, HostDirectory> known =
      new LinkedHashMap<>(MOST_KNOWN, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Path, HostDirectory> eldest) {
          return size() > MOST_KNOWN;
        }
      };

  private final boolean asNobody;

  /** Creates a tree with the permissions of an unprivileged user, or with those of this JVM. */
  HostTree(boolean asNobody) throws IOException {
    this.devices = new HostDevices();
    this.asNobody = asNobody;
  }

  /** Hides a path and the file to which it leads. */
  void hide(Path path) {
    hidden.add(path);
    Path parent = path.getParent();
    try {
      if (parent != null) {
        hidden.add(
            parent
                .toRealPath()
                .resolve(path.getFileName())); // also a file that is created there later
      }
      hiddenKeys.add(attributes(path).get("fileKey"));
      Path real = path.toRealPath();
      hidden.add(real);
      hiddenKeys.add(attributes(real).get("fileKey"));
    } catch (IOException _) {
      // A dangling link, or nothing there.
    }
  }

  HostDirectories directories() {
    return directories;
  }

  /** A path to a node's name in the directory in which the node was found. */
  Path here(HostNode node) throws IOException {
    return directories.path(node.above(), node.path().getFileName());
  }

  /** Adds a user of a file; opens it for the first one. */
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
   * Finds the file at a path.
   *
   * @param real an absolute path without symbolic links
   * @param trusted whether it may be read regardless of its permissions
   * @throws NoSuchFileException if there is no file that a guest may see
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

  /** Finds the file with a name in a directory. */
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
      return Optional.empty(); // for example, the directory has been removed meanwhile
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

  /** Whether the permissions for others allow an access, if the tree is restricted to those. */
  boolean mayNobody(FileStatus status, int access) {
    return !asNobody || !Bits.any(access & ~status.mode(), 7);
  }

  @Override
  public void close() {
    held.values().forEach(HeldFile::close);
    directories.close();
  }
}
