package dev.stubpool;

/** A file of the host that stubs can map. */
public non-sealed interface HostFile extends Mappable {
  /** {@return the size in bytes when the file was opened} */
  @Override
  long size();
}
