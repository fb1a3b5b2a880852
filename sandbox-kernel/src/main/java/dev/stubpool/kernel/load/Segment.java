package dev.stubpool.kernel.load;

import dev.stubpool.Protection;
import dev.stubpool.kernel.memory.Pages;
import dev.stubpool.kernel.memory.Protections;

/**
 * A PT_LOAD program header: a part of the file to be mapped.
 *
 * @param address its address, before relocation of a static-PIE program
 * @param offset its offset in the file
 * @param fileSize its size in the file in bytes
 * @param memorySize its size in memory in bytes; the bytes beyond {@code fileSize} are 0
 * @param flags PF_X 1, PF_W 2, PF_R 4
 */
record Segment(long address, long offset, long fileSize, long memorySize, int flags) {
  private static final int PF_X = 1;
  private static final int PF_W = 2;
  private static final int PF_R = 4;

  boolean isWritable() {
    return (flags & PF_W) != 0;
  }

  Protection protection() {
    return Protections.of((flags & PF_R) != 0, isWritable(), (flags & PF_X) != 0);
  }

  /** The first address of its first page. */
  long start() {
    return Pages.down(address);
  }

  /** The first address after the pages that come from the file. */
  long fileEnd() {
    return fileSize == 0 ? start() : Pages.up(address + fileSize);
  }

  /** The first address after its last page. */
  long end() {
    return Pages.up(address + memorySize);
  }
}
