package dev.stubpool;

import dev.stubpool.nativestubs.Abi;

/** What else can be asked for when memory is mapped. */
public enum MapOption {
  /**
   * Has the pages in place when the call returns, instead of at the first access to each, mmap(2)
   * MAP_POPULATE: private memory that can be written is there to be written, everything else to be
   * read. Pages that cannot be had, for want of memory or beyond the end of a file, are left to the
   * first access without a word, and those of {@link Protection#NONE} always.
   *
   * <p>The call then takes time in proportion to the size, some tenths of a second for a gigabyte,
   * in which the pool's tracer does nothing else. A stub that needs more than 10 s for it is
   * killed.
   */
  POPULATE(Abi.MAP_POPULATE);

  private final int flag;

  MapOption(int flag) {
    this.flag = flag;
  }

  /** The flags of mmap(2) for these options. */
  static int flags(MapOption... options) {
    int flags = 0;
    for (MapOption option : options) {
      flags |= option.flag;
    }
    return flags;
  }
}
