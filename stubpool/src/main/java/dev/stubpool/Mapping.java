package dev.stubpool;

/**
 * A range of a stub's memory that is mapped alike.
 *
 * @param start the first address, a multiple of {@link AddressSpace#PAGE_SIZE}
 * @param end the first address behind it
 * @param protection what the stub may do there
 * @param sharing who sees what it writes
 */
public record Mapping(long start, long end, Protection protection, Sharing sharing) {
  /** Size in bytes. */
  public long size() {
    return end - start;
  }
}
