package dev.stubpool;

/**
 * A range of a stub's memory with the same attributes.
 *
 * @param start the first address, a multiple of {@link AddressSpace#PAGE_SIZE}
 * @param end the first address behind the range
 * @param protection which accesses are allowed
 * @param sharing whether writes are shared with other mappings of the file
 */
public record Mapping(long start, long end, Protection protection, Sharing sharing) {
  /** {@return the size in bytes} */
  public long size() {
    return end - start;
  }
}
