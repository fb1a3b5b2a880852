package dev.stubpool;

/**
 * The part of a stub's address space that can be mapped: [lowest, highest) without the range of the
 * stub image. It is the same for all stubs of a JVM.
 *
 * @param lowest the lowest mappable address ({@code vm.mmap_min_addr})
 * @param highest the first address behind user space
 * @param imageStart the first address of the range that is reserved for the stub image and a signal
 *     frame
 * @param imageEnd the first address behind that range
 */
public record AddressSpace(long lowest, long highest, long imageStart, long imageEnd) {
  /** The size of a page in bytes. All mappings consist of whole pages. */
  public static final int PAGE_SIZE = 4096;

  /**
   * Whether a range can be mapped as a whole.
   *
   * @param address the range's first address, any value
   * @param size the range's size in bytes, any value
   * @return whether all bytes of [address, address + size) can be mapped; false for a size of 0 or
   *     less
   */
  public boolean contains(long address, long size) {
    long end = address + size;
    return size > 0
        && address >= lowest
        && end > address
        && end <= highest
        && (end <= imageStart || address >= imageEnd);
  }

  /**
   * Whether a range overlaps that of the stub image.
   *
   * @param address the range's first address, any value
   * @param size the range's size in bytes, 0 or more
   * @return whether any byte of [address, address + size) is in the image's range
   */
  public boolean meetsImage(long address, long size) {
    return address >= 0 && address < imageEnd && size > imageStart - address;
  }
}
