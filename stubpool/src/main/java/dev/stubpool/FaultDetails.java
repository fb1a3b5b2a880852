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

  /** Whether it is a page fault, the one kind whose access is known. */
  public boolean isPageFault() {
    return trap == PAGE_FAULT;
  }

  /** Whether a page was to be written. */
  public boolean isWrite() {
    return isPageFault() && (error & WRITE) != 0;
  }

  /** Whether an instruction was to be fetched. */
  public boolean isFetch() {
    return isPageFault() && (error & FETCH) != 0;
  }
}
