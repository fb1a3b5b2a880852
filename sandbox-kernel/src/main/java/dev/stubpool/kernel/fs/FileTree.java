package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.Device;
import dev.stubpool.kernel.file.DeviceFile;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.OpenDirectory;
import dev.stubpool.kernel.file.OpenFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * All files that a guest sees, under the names that they have on the host. A path is followed here,
 * name by name, path_resolution(7): {@code ..} goes back along the names, and what a link says is a
 * path of the guest's. So whatever the path, and whatever links there are, nothing is found that
 * was not added.
 */
public final class FileTree {
  private static final int MOST_LINKS = 40;
  private static final int NAME_MAX = 255;

  private final HostTree host;
  private final MadeDirectory root;
  private long inodes = 1;

  /** A tree with the devices in /dev, and nothing else. */
  public FileTree() throws IOException {
    host = new HostTree();
    root = new MadeDirectory(inodes++, Optional.empty());
    for (Device device : Device.values()) {
      put("/dev/" + device.fileName(), new DeviceNode(device));
    }
  }

  /**
   * What a path leads to.
   *
   * @param path absolute, without links, {@code .} and {@code ..}
   */
  public record Found(String path, Node node) {}

  /**
   * Adds a file of the host, or a directory with all that is in it, under its own name; nothing if
   * that name already leads somewhere.
   *
   * @param path absolute and normal
   * @throws IOException if there is nothing that a guest may see
   */
  public void add(Path path) throws IOException {
    Node node =
        host.node(path.toRealPath())
            .orElseThrow(() -> new IOException(path + " is not for guests"));
    if (!(node instanceof Node.Directory directory)) {
      if (!exists(path.toString())) {
        put(path.toString(), node);
      }
    } else if (path.getNameCount() == 0) {
      root.below(directory);
    } else if (!exists(path.toString())) {
      makeDirectory(path).below(directory);
    } else if (resolve("/", path.toString(), true).node() instanceof MadeDirectory made) {
      made.below(directory);
    }
  }

  private boolean exists(String path) {
    try {
      resolve("/", path, true);
      return true;
    } catch (ErrnoException _) {
      return false;
    }
  }

  /** Adds a link that the kernel makes up. */
  public void addLink(String path, String target) {
    put(path, new MadeLink(inodes++, target));
  }

  private void put(String path, Node node) {
    Path at = Path.of(path);
    makeDirectory(at.getParent()).put(at.getFileName().toString(), node);
  }

  /** A directory of the kernel's own at a path, and above it. */
  private MadeDirectory makeDirectory(Path path) {
    MadeDirectory directory = root;
    for (Path name : path) {
      Optional<Node> child = directory.child(name.toString());
      if (child.isPresent() && child.get() instanceof MadeDirectory made) {
        directory = made;
      } else {
        MadeDirectory made =
            new MadeDirectory(
                inodes++,
                child.filter(Node.Directory.class::isInstance).map(Node.Directory.class::cast));
        directory.put(name.toString(), made);
        directory = made;
      }
    }
    return directory;
  }

  /**
   * Follows a path.
   *
   * @param from where a relative path begins: a {@link Found#path}
   * @param follow whether a link at the end is followed
   * @throws ErrnoException ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, or EACCES of the host's
   */
  public Found resolve(String from, String path, boolean follow) {
    if (path.isEmpty()) {
      throw new ErrnoException(Errno.ENOENT);
    }
    Deque<String> ahead = names(path.startsWith("/") ? path : from + "/" + path);
    Deque<Step> steps = new ArrayDeque<>();
    steps.push(new Step("", root));
    int links = 0;
    while (!ahead.isEmpty()) {
      String name = ahead.pop();
      if (!(steps.getFirst().node() instanceof Node.Directory directory)) {
        throw new ErrnoException(Errno.ENOTDIR);
      }
      if (name.equals("..")) {
        if (steps.size() > 1) {
          steps.pop();
        }
      } else if (!name.equals(".")) {
        Node node = child(directory, name);
        if (node instanceof Node.Link link && (follow || !ahead.isEmpty())) {
          if (++links > MOST_LINKS) {
            throw new ErrnoException(Errno.ELOOP);
          }
          String target = link.target();
          if (target.startsWith("/")) {
            steps.clear();
            steps.push(new Step("", root));
          }
          names(target).descendingIterator().forEachRemaining(ahead::push);
        } else {
          steps.push(new Step(name, node));
        }
      }
    }
    return new Found(path(steps), steps.getFirst().node());
  }

  private record Step(String name, Node node) {}

  private static String path(Deque<Step> steps) {
    Iterable<Step> down = steps::descendingIterator;
    String path =
        StreamSupport.stream(down.spliterator(), false)
            .map(Step::name)
            .collect(Collectors.joining("/"));
    return path.isEmpty() ? "/" : path;
  }

  /** The names in a path; a slash at its end asks for a directory, as {@code .} does. */
  private static Deque<String> names(String path) {
    Deque<String> names =
        Arrays.stream(path.split("/"))
            .filter(name -> !name.isEmpty())
            .collect(Collectors.toCollection(ArrayDeque::new));
    if (path.endsWith("/")) {
      names.add(".");
    }
    return names;
  }

  private static Node child(Node.Directory directory, String name) {
    if (name.getBytes(StandardCharsets.UTF_8).length > NAME_MAX) {
      throw new ErrnoException(Errno.ENAMETOOLONG);
    }
    return directory.child(name).orElseThrow(() -> new ErrnoException(Errno.ENOENT));
  }

  /** Opens what a path led to; a link cannot be opened. */
  public OpenFile open(Found found, int flags) {
    return switch (found.node()) {
      case Node.Directory directory ->
          new OpenDirectory(
              found.path(), flags, directory::status, () -> entries(found.path(), directory));
      case Node.Link _ -> throw new ErrnoException(Errno.ELOOP);
      case Node.File file -> file.open(found.path(), flags);
    };
  }

  private List<OpenDirectory.Entry> entries(String path, Node.Directory directory) {
    List<OpenDirectory.Entry> entries = new ArrayList<>();
    entries.add(entry(".", directory));
    entries.add(entry("..", resolve(path, "..", true).node()));
    for (String name : directory.names()) {
      directory.child(name).ifPresent(node -> entries.add(entry(name, node)));
    }
    return entries;
  }

  private static OpenDirectory.Entry entry(String name, Node node) {
    FileStatus status = node.status();
    return new OpenDirectory.Entry(name, status.inode(), status.type());
  }

  private record MadeLink(long inode, String target) implements Node.Link {
    private static final int MODE = FileStatus.S_IFLNK | 0777;

    @Override
    public FileStatus status() {
      return FileStatus.made(MODE, inode, 0);
    }
  }

  private record DeviceNode(Device device) implements Node.File {
    @Override
    public FileStatus status() {
      return device.status();
    }

    @Override
    public OpenFile open(String path, int flags) {
      return new DeviceFile(path, flags, device);
    }

    @Override
    public boolean isWritable() {
      return true;
    }
  }
}
