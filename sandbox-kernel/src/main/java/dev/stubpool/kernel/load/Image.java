package dev.stubpool.kernel.load;

/**
 * A loaded program.
 *
 * @param entry the address of its first instruction
 * @param stackPointer the initial rsp
 */
public record Image(long entry, long stackPointer) {}
