package dev.stubpool.kernel.fs;

/** The use of a path's last name, which decides whether a symbolic link there is followed. */
public enum LastName {
  /** An existing file; a link is followed. */
  FOLLOWED,
  /** An existing file; a link is not followed, unless a slash follows. */
  KEPT,
  /** A name to be created or removed; a link is not followed. */
  CHANGED,
  /** A file to be opened or created where a link leads: open(2), O_CREAT. */
  CREATED;

  boolean follows(boolean slash) {
    return this == FOLLOWED || this == CREATED || (this == KEPT && slash);
  }

  /** Whether a slash after the name of a file that is not a directory is an error. */
  boolean isLookedUp() {
    return this == FOLLOWED || this == KEPT;
  }
}
