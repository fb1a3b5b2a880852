package dev.stubpool;

/**
 * What the CPU said of a fault: {@link Guest#examine}.
 *
 * @param trap the exception's number: 14 page fault, 13 general protection, 17 alignment check...
 * @param error the error code that it pushed; of other traps than 13 and 14 of little meaning
 * @param address cr2: where a page fault was; of other traps that of an earlier one
 */
public record FaultDetails(int trap, long error, long address) {
  private static final int PAGE_FAULT = 14;
  private static final long WRITE = 2;
  private static final long FETCH = 16;

  /** What the access was for: of a page fault always known, of other traps never. */
  public Access access() {
    if (trap != PAGE_FAULT) {
      return Access.UNKNOWN;
    }
    if ((error & FETCH) != 0) {
      return Access.EXECUTE;
    }
    return (error & WRITE) != 0 ? Access.WRITE : Access.READ;
  }
}
