package dev.stubpool;

/**
 * A file that stubs can map by {@link StubMemory#map}. Closing it does not affect existing
 * mappings.
 */
public sealed interface Mappable extends AutoCloseable permits MemoryFile, HostFile {
  /** {@return the size in bytes} */
  long size();

  /**
   * Closes the file when the last call that uses it has returned. Idempotent.
   *
   * @throws IllegalStateException if a call on another thread uses the {@link MemoryFile#segment}
   *     for longer than a second; nothing is closed then
   */
  @Override
  void close();
}
