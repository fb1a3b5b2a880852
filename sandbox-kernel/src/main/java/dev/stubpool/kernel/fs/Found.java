package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.util.Optional;

/**
 * Where a path leads: its last name, and what has that name, if anything has.
 *
 * @param directory that the last name is looked for in
 * @param name the last name; empty if the path has none, as {@code /}
 * @param existing what is there
 * @param slash whether the path ends with a slash, and so wants a directory
 */
public record Found(Location directory, String name, Optional<Location> existing, boolean slash) {
  static ErrnoException missing() {
    return new ErrnoException(Errno.ENOENT);
  }

  /** Whether the last name is none that could be given to something. */
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
