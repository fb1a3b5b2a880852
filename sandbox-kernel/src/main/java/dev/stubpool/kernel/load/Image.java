package dev.stubpool.kernel.load;

/**
 * A program that was loaded.
 *
 * @param entry where it begins
 * @param stackPointer what rsp is then
 */
public record Image(long entry, long stackPointer) {}
