package dev.stubpool;

/** Options for mapping memory. */
public enum MapOption {
  /**
   * Allocates the pages during the call instead of at the first access to each: MAP_POPULATE of
   * mmap(2). Writable private memory is prepared for writing, all other memory for reading. Pages
   * that cannot be allocated, for lack of memory or beyond the end of a file, are silently left to
   * the first access, as are pages of {@link Protection#NONE}.
   *
   * <p>The call takes time in proportion to the size, some tenths of a second for a gigabyte, in
   * which the pool's tracer serves no other caller. A stub that takes more than 10 s is killed.
   */
  POPULATE
}
