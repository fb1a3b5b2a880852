package dev.stubpool;

/** Whether what a stub writes to mapped memory is visible outside the mapping, as in mmap(2). */
public enum Sharing {
  /** Writes go to the file and are visible to all that map it. A copy of the stub shares them. */
  SHARED,
  /** Writes go to a copy of the page that only the stub has. A copy of the stub gets its own. */
  PRIVATE
}
