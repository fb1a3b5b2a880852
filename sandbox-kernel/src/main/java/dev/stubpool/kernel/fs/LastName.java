package dev.stubpool.kernel.fs;

/** What the last name of a path is wanted for: whether it is followed if it is a link's. */
public enum LastName {
  /** To be looked at, followed. */
  FOLLOWED,
  /** To be looked at as it is; a slash behind it has it followed nevertheless. */
  KEPT,
  /** To be given to something, or taken from it: it is the name that counts. */
  CHANGED,
  /** To be opened, or else made where it leads to: open(2), O_CREAT. */
  CREATED;

  boolean follows(boolean slash) {
    return this == FOLLOWED || this == CREATED || (this == KEPT && slash);
  }

  /** Whether a slash behind it is an error if it is no directory's. */
  boolean isLookedUp() {
    return this == FOLLOWED || this == KEPT;
  }
}
