package dev.stubpool.kernel.memory;

import dev.stubpool.Mappable;
import dev.stubpool.StubPool;

/**
 * The object behind a mapping other than private anonymous memory: a host file, a file in memory,
 * or shared anonymous memory. Equal backings are the same memory: a futex in it has the same key in
 * all mappings.
 */
public interface Backing {
  /**
   * Returns the object that stubs map. A {@link dev.stubpool.HostFile} is opened for the caller,
   * which closes it; a {@link dev.stubpool.MemoryFile} is owned by the backing.
   *
   * @throws dev.stubpool.kernel.abi.ErrnoException if it cannot be mapped
   */
  Mappable open(StubPool pool);

  /** Converts an offset in this backing to one in the object returned by {@link #open}. */
  default long offset(long wanted) {
    return wanted;
  }

  /** The name in /proc/PID/maps: a path, or empty. */
  String name();

  /** Called when the first part of it was mapped in an address map. */
  default void mapped(AddressMap map) {}

  /** Called when the last part of it was unmapped from an address map. */
  default void unmapped(AddressMap map) {}
}
