package dev.stubpool.kernel.memory;

import dev.stubpool.Mappable;
import dev.stubpool.StubPool;

/**
 * What lies behind a mapping that is not private anonymous memory: a file of the host, a file of
 * the kernel's own, or memory that processes share. What it equals is what is shared: a futex in it
 * has the same key wherever it is mapped.
 */
public interface Backing {
  /**
   * Gives what stubs map. A {@link dev.stubpool.HostFile} is opened, and the caller closes it; a
   * {@link dev.stubpool.MemoryFile} stays the backing's.
   *
   * @throws dev.stubpool.kernel.abi.ErrnoException if it cannot be mapped
   */
  Mappable open(StubPool pool);

  /** Where in what {@link #open} gave lies what is mapped at an offset. */
  default long offset(long wanted) {
    return wanted;
  }

  /** As in /proc/PID/maps: a path, or empty. */
  String name();

  /** Some of it is mapped there now, and was not before. */
  default void mapped(AddressMap map) {}

  /** Nothing of it is mapped there any more. */
  default void unmapped(AddressMap map) {}
}
