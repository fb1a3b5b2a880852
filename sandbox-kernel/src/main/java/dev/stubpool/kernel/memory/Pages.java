package dev.stubpool.kernel.memory;

import dev.stubpool.AddressSpace;

/** Addresses and sizes in whole pages. */
public final class Pages {
  private Pages() {}

  /** The start of the page that an address is in. */
  public static long down(long address) {
    return address & -AddressSpace.PAGE_SIZE;
  }

  /** The next start of a page, at or above the address; 0 or negative if there is none. */
  public static long up(long address) {
    return down(address + AddressSpace.PAGE_SIZE - 1);
  }

  /** Whether an address is the start of a page. */
  public static boolean isStart(long address) {
    return address % AddressSpace.PAGE_SIZE == 0;
  }
}
