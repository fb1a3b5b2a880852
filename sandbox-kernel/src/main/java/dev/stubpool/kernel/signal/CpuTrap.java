package dev.stubpool.kernel.signal;

/**
 * The CPU's description of the last fault, for a handler's context.
 *
 * @param number the exception's number: 14 page fault, 13 general protection, 6 invalid opcode...
 * @param error the CPU's error code
 * @param address cr2: the address of a page fault
 */
public record CpuTrap(int number, long error, long address) {
  /** No fault. */
  public static final CpuTrap NONE = new CpuTrap(0, 0, 0);
}
