package dev.stubpool.kernel.memory;

import dev.stubpool.AddressSpace;

/** Page arithmetic on addresses and sizes. */
public final class Pages {
  private Pages() {}

  /** Rounds an address down to the start of its page. */
  public static long down(long address) {
    return address & -AddressSpace.PAGE_SIZE;
  }

  /** Rounds an address up to the start of a page; 0 or negative on overflow. */
  public static long up(long address) {
    return down(address + AddressSpace.PAGE_SIZE - 1);
  }

  /** Whether an address is the start of a page. */
  public static boolean isStart(long address) {
    return address % AddressSpace.PAGE_SIZE == 0;
  }
}
