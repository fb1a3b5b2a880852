package dev.stubpool;

/**
 * What of a stub's address space its holder may map: [lowest, highest) less the image's range. The
 * same for all stubs of a JVM.
 *
 * @param lowest the lowest mappable address ({@code vm.mmap_min_addr})
 * @param highest the first address behind user space
 * @param imageStart the first address of the range that the stub image keeps, with the place for a
 *     signal frame
 * @param imageEnd the first address behind that range
 */
public record AddressSpace(long lowest, long highest, long imageStart, long imageEnd) {
  /** Bytes in a page, the unit of all mappings. */
  public static final int PAGE_SIZE = 4096;

  /** Whether [address, address + size) can be mapped as a whole. */
  public boolean contains(long address, long size) {
    long end = address + size;
    return size > 0
        && address >= lowest
        && end > address
        && end <= highest
        && (end <= imageStart || address >= imageEnd);
  }

  /** Whether the page of an address can be mapped. */
  boolean containsByte(long address) {
    return contains(address & -PAGE_SIZE, PAGE_SIZE);
  }

  /** Whether any byte of [address, address + size) is the image's. */
  boolean meetsImage(long address, long size) {
    return address >= 0 && address < imageEnd && size > imageStart - address;
  }

  /** Refuses what {@link #contains} does not hold for, and what is not made of whole pages. */
  void check(long address, long size) {
    if (address % PAGE_SIZE != 0 || size % PAGE_SIZE != 0) {
      throw new IllegalArgumentException(
          "address 0x%x and size 0x%x must be multiples of the page size 0x%x"
              .formatted(address, size, PAGE_SIZE));
    }
    if (!contains(address, size)) {
      throw new IllegalArgumentException(
          "[0x%x, 0x%x) is not within the mappable addresses [0x%x, 0x%x) less the image's [0x%x, 0x%x)"
              .formatted(address, address + size, lowest, highest, imageStart, imageEnd));
    }
  }
}
