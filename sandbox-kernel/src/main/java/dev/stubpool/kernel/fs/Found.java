package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.util.Optional;

/**
 * The result of resolving a path: its last name, and the file with that name if it exists.
 *
 * @param directory the directory of the last name
 * @param name the last name; empty if the path has none, like {@code /}
 * @param existing the file, if it exists
 * @param slash whether the path ends with a slash and so requires a directory
 */
public record Found(Location directory, String name, Optional<Location> existing, boolean slash) {
  static ErrnoException missing() {
    return new ErrnoException(Errno.ENOENT);
  }

  /** Whether the last name is empty, {@code .} or {@code ..} and cannot be created. */
  boolean isSpecial() {
    return name.isEmpty() || isDot() || isDotDot();
  }

  boolean isDot() {
    return name.equals(".");
  }

  boolean isDotDot() {
    return name.equals("..");
  }
}
