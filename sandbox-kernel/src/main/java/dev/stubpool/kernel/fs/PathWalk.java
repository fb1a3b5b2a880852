package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.memory.GuestString;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * Resolves a path, name by name, path_resolution(7): {@code ..} leads to the parent in the guest's
 * tree, and link targets are resolved in that tree. Therefore no path and no link leads out of the
 * tree.
 */
final class PathWalk {
  private static final int MOST_LINKS = 40;
  private static final int NAME_MAX = 255;

  /** A number of characters whose encoding never exceeds NAME_MAX bytes. */
  private static final int SURELY_SHORT = NAME_MAX / 3;

  private final Location root;
  private final Identity who;
  private final Deque<String> ahead = new ArrayDeque<>();
  private Location here;
  private boolean slash;
  private int links;

  PathWalk(Location root, Location from, Identity who) {
    this.root = root;
    this.here = from;
    this.who = who;
  }

  /**
   * Resolves the path; for a single use.
   *
   * @throws ErrnoException ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG
   */
  Found walk(String path, LastName end) {
    turn(path);
    while (true) {
      String name = ahead.isEmpty() ? "" : ahead.pop();
      boolean last = ahead.isEmpty();
      checkDirectory();
      Optional<Location> next = next(name);
      if (next.isPresent() && next.get().node() instanceof Node.Link link) {
        if (!last || end.follows(slash)) {
          follow(link);
          if (last && link.jump().isPresent()) {
            return found(here.parent(), name, Optional.of(here), end);
          }
          continue;
        }
      }
      if (last) {
        return found(here, name, next, end);
      }
      here = next.orElseThrow(() -> new ErrnoException(Errno.ENOENT));
    }
  }

  private Found found(Location directory, String name, Optional<Location> existing, LastName end) {
    if (end.isLookedUp()
        && slash
        && existing.isPresent()
        && !(existing.get().node() instanceof Node.Directory)) {
      throw new ErrnoException(Errno.ENOTDIR);
    }
    return new Found(directory, name, existing, slash);
  }

  private void checkDirectory() {
    if (!(here.node() instanceof Node.Directory)) {
      throw new ErrnoException(Errno.ENOTDIR);
    }
  }

  private Optional<Location> next(String name) {
    if (name.isEmpty()) {
      return Optional.of(here);
    }
    if (!here.node().allows(who, Access.X_OK)) {
      throw new ErrnoException(Errno.EACCES);
    }
    if (name.length() > SURELY_SHORT && GuestString.bytes(name).length > NAME_MAX) {
      throw new ErrnoException(Errno.ENAMETOOLONG);
    }
    return switch (name) {
      case "." -> Optional.of(here);
      case ".." -> Optional.of(here.parent());
      default -> here.child(name);
    };
  }

  private void follow(Node.Link link) {
    if (++links > MOST_LINKS) {
      throw new ErrnoException(Errno.ELOOP);
    }
    Optional<Location> jump = link.jump();
    if (jump.isPresent()) {
      here = jump.get();
    } else {
      turn(link.target());
    }
  }

  /** Continues with a path, before the names that are left. */
  private void turn(String path) {
    if (path.isEmpty()) {
      throw new ErrnoException(Errno.ENOENT);
    }
    if (path.startsWith("/")) {
      here = root;
    }
    boolean last = ahead.isEmpty();
    String[] names = path.split("/", -1);
    for (int i = names.length - 1; i >= 0; i--) {
      if (!names[i].isEmpty()) {
        ahead.push(names[i]);
      }
    }
    if (last && path.endsWith("/")) {
      slash = true;
    }
  }
}
