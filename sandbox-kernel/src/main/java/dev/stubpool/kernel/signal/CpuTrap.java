package dev.stubpool.kernel.signal;

/**
 * What the CPU said of the last instruction that could not be executed, for a handler to find in
 * its context.
 *
 * @param number the exception's number: 14 page fault, 13 general protection, 6 invalid opcode...
 * @param error the error code that it pushed
 * @param address cr2: where a page fault was
 */
public record CpuTrap(int number, long error, long address) {
  /** There was none. */
  public static final CpuTrap NONE = new CpuTrap(0, 0, 0);
}
