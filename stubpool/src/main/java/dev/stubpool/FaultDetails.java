package dev.stubpool;

/**
 * What the CPU reported about a fault, as returned by {@link Guest#examine}. See the Intel SDM,
 * volume 3, chapter 6.
 *
 * @param trap the number of the exception, such as 14 for a page fault, 13 for general protection
 *     and 17 for an alignment check
 * @param error the exception's error code, which is useful for exceptions 13 and 14
 * @param address the register cr2: of a page fault the address that was accessed, of other
 *     exceptions the address of an earlier page fault
 */
public record FaultDetails(int trap, long error, long address) {
  private static final int PAGE_FAULT = 14;
  private static final long WRITE = 2;
  private static final long FETCH = 16;

  /** {@return the kind of access: always known of page faults, UNKNOWN for other exceptions} */
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
