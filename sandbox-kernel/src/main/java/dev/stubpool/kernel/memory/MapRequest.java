package dev.stubpool.kernel.memory;

import dev.stubpool.Protection;
import dev.stubpool.Sharing;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.MapFlags;

/**
 * A request of mmap(2).
 *
 * @param address the address, or a hint
 * @param length in bytes
 * @param protection PROT_*
 * @param flags MAP_*
 * @param file the file to map; null for anonymous memory
 * @param mayWrite whether shared mappings of the file may be written
 * @param offset the offset in the file
 */
public record MapRequest(
    long address,
    long length,
    int protection,
    int flags,
    Backing file,
    boolean mayWrite,
    long offset) {
  private static final int FIXED = MapFlags.MAP_FIXED | MapFlags.MAP_FIXED_NOREPLACE;

  /** Checks the parts of the request that do not depend on existing mappings. */
  void check() {
    if (!Pages.isStart(offset) || length == 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (length < 0 || size() <= 0) {
      throw new ErrnoException(Errno.ENOMEM);
    }
    if (offset < 0 || offset + size() < 0) {
      throw new ErrnoException(Errno.EOVERFLOW);
    }
    if (isFixed() && !Pages.isStart(address)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    checkType();
  }

  private void checkType() {
    switch (flags & MapFlags.MAP_TYPE) {
      case MapFlags.MAP_PRIVATE, MapFlags.MAP_SHARED -> {}
      case MapFlags.MAP_SHARED_VALIDATE -> {
        if (file == null) {
          throw new ErrnoException(Errno.EINVAL);
        }
        if (Bits.any(flags, MapFlags.MAP_SYNC)) {
          throw new ErrnoException(Errno.EOPNOTSUPP);
        }
      }
      default -> throw new ErrnoException(Errno.EINVAL);
    }
    if (Bits.any(flags, MapFlags.MAP_HUGETLB)) {
      throw new ErrnoException(file == null ? Errno.ENOMEM : Errno.EINVAL);
    }
  }

  /** The size in whole pages. */
  long size() {
    return Pages.up(length);
  }

  /** Whether the address is not just a hint. */
  boolean isFixed() {
    return Bits.any(flags, FIXED);
  }

  /** Whether it may replace existing mappings. */
  boolean replaces() {
    return !Bits.any(flags, MapFlags.MAP_FIXED_NOREPLACE);
  }

  /** Whether it must be in the first 2 GiB, MAP_32BIT. */
  boolean isLow() {
    return Bits.any(flags, MapFlags.MAP_32BIT);
  }

  Sharing sharing() {
    return (flags & MapFlags.MAP_TYPE) == MapFlags.MAP_PRIVATE ? Sharing.PRIVATE : Sharing.SHARED;
  }

  /** The region to map; without a backing it is private anonymous memory. */
  Region region(long start, Backing backing) {
    Protection allowed = Protections.of(protection);
    return backing == null
        ? Region.anonymous(start, size(), allowed, "")
        : Region.of(
            backing,
            file == null ? 0 : offset,
            start,
            size(),
            allowed,
            sharing(),
            file == null || mayWrite || sharing() == Sharing.PRIVATE);
  }
}
