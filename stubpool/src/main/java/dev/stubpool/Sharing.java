package dev.stubpool;

/** Who sees what a stub writes to mapped memory. */
public enum Sharing {
  /** Everybody who maps the file. A copy of the stub maps the same memory. */
  SHARED,
  /** The stub alone; the file keeps what it has. A copy of the stub gets its own copy. */
  PRIVATE
}
