package dev.stubpool;

import java.lang.foreign.MemorySegment;

/**
 * Memory that this JVM and stubs can both map: a memfd of fixed size (memfd_create(2)). Its bytes
 * are 0 at first.
 */
public non-sealed interface MemoryFile extends Mappable {
  /**
   * {@return this JVM's own shared mapping of the memory, valid until {@link #close}} Stubs that
   * map the file SHARED see writes at once.
   */
  MemorySegment segment();

  /** {@return the size in bytes, a multiple of the page size} */
  @Override
  long size();
}
