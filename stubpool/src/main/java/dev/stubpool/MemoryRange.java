package dev.stubpool;

/**
 * A range of a stub's memory, for copies of several ranges in one call.
 *
 * @param address the first address, any value
 * @param size the size in bytes, 0 or more
 */
public record MemoryRange(long address, long size) {
  /**
   * Makes a range.
   *
   * @throws IllegalArgumentException if the size is negative
   */
  public MemoryRange {
    if (size < 0) {
      throw new IllegalArgumentException("size is " + size + ", must not be negative");
    }
  }
}
