package dev.stubpool.kernel.memory;

import dev.stubpool.Protection;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.MapFlags;

/** Protections of pages, from the bits that guests give. */
public final class Protections {
  private static final int PROT_ALL = MapFlags.PROT_READ | MapFlags.PROT_WRITE | MapFlags.PROT_EXEC;

  private Protections() {}

  /** The protection of what mmap(2) calls PROT_*. */
  static Protection of(int bits) {
    if ((bits & ~PROT_ALL) != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return of(
        Bits.any(bits, MapFlags.PROT_READ),
        Bits.any(bits, MapFlags.PROT_WRITE),
        Bits.any(bits, MapFlags.PROT_EXEC));
  }

  /** The protection that allows this. */
  public static Protection of(boolean read, boolean write, boolean execute) {
    if (execute) {
      if (write) {
        return read ? Protection.READ_WRITE_EXECUTE : Protection.WRITE_EXECUTE;
      }
      return read ? Protection.READ_EXECUTE : Protection.EXECUTE;
    }
    if (write) {
      return read ? Protection.READ_WRITE : Protection.WRITE;
    }
    return read ? Protection.READ : Protection.NONE;
  }
}
