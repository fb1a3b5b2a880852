package dev.stubpool;

/**
 * A range of a stub's memory, one of several that are copied as if they were one.
 *
 * @param address the first address, any
 * @param size in bytes, 0 or more
 */
public record MemoryRange(long address, long size) {
  /**
   * Makes one.
   *
   * @throws IllegalArgumentException for a negative size
   */
  public MemoryRange {
    if (size < 0) {
      throw new IllegalArgumentException("size is " + size + ", must not be negative");
    }
  }
}
