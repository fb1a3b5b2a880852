package dev.stubpool.kernel.memory;

import dev.stubpool.Protection;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.sync.KernelLock;
import java.nio.ByteBuffer;

/**
 * Resizes a mapping, and moves it if necessary, mremap(2).
 *
 * <p>Stubs cannot move pages, so private pages are copied. A growing mapping is moved to a place
 * with room for further growth.
 *
 * @param address the address
 * @param oldLength the old length in bytes
 * @param newLength the new length in bytes
 * @param flags MREMAP_*
 * @param newAddress the new address, for MREMAP_FIXED
 */
public record Remapping(long address, long oldLength, long newLength, int flags, long newAddress) {
  private static final int MREMAP_MAYMOVE = 1;
  private static final int MREMAP_FIXED = 2;

  /** The limit in bytes for copies made with the kernel's lock held. */
  private static final long MOST_UNDER_LOCK = 1 << 20;

  /**
   * Performs the call.
   *
   * @param lock is held, and released during long copies
   * @param through a buffer for copies
   * @return the address of the mapping
   */
  public long perform(AddressMap map, KernelLock lock, ByteBuffer through) {
    check(map);
    Region region = map.find(address);
    if (region == null) {
      throw new ErrnoException(Errno.EFAULT);
    }
    if (Bits.any(flags, MREMAP_FIXED)) {
      return moveTo(map, newAddress, lock, through);
    }
    if (newSize() <= oldSize()) {
      shrink(map);
      return address;
    }
    if (oldSize() > region.end() - address) {
      throw new ErrnoException(Errno.EFAULT);
    }
    if (!map.isUser(0, newSize())) {
      throw new ErrnoException(Errno.ENOMEM);
    }
    if (address + oldSize() == region.end() && map.isFree(region.end(), newSize() - oldSize())) {
      map.put(region.part(region.end(), address + newSize()));
      return address;
    }
    if (!Bits.any(flags, MREMAP_MAYMOVE)) {
      throw new ErrnoException(Errno.ENOMEM);
    }
    return moveTo(map, roomyPlace(map), lock, through);
  }

  private long oldSize() {
    return Pages.up(oldLength);
  }

  private long newSize() {
    return Pages.up(newLength);
  }

  private void check(AddressMap map) {
    boolean fixed = Bits.any(flags, MREMAP_FIXED);
    if (Bits.any(flags, ~(MREMAP_MAYMOVE | MREMAP_FIXED))
        || (fixed && !Bits.any(flags, MREMAP_MAYMOVE))
        || !Pages.isStart(address)
        || oldSize() <= 0
        || newSize() <= 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (!map.isUser(address, oldSize())) {
      throw new ErrnoException(Errno.EFAULT);
    }
    if (fixed) {
      checkNewAddress(map);
    }
  }

  private void checkNewAddress(AddressMap map) {
    if (!Pages.isStart(newAddress)
        || !map.isUser(newAddress, newSize())
        || (newAddress < address + oldSize() && address < newAddress + newSize())) {
      throw new ErrnoException(Errno.EINVAL);
    }
    map.checkUsable(newAddress, newSize());
  }

  private void shrink(AddressMap map) {
    if (newSize() < oldSize()) {
      map.unmap(address + newSize(), oldSize() - newSize());
    }
  }

  private long roomyPlace(AddressMap map) {
    try {
      return map.highestFree(2 * newSize());
    } catch (ErrnoException _) {
      return map.highestFree(newSize()); // without room to grow
    }
  }

  private long moveTo(AddressMap map, long to, KernelLock lock, ByteBuffer through) {
    Region region = map.find(address);
    long kept = Math.min(oldSize(), newSize());
    if (kept > region.end() - address) {
      throw new ErrnoException(Errno.EFAULT);
    }
    Region from = region.part(address, address + kept);
    Region moved = region.part(address, address + newSize()).movedTo(to);
    if (from.charged()) {
      move(map, from, moved, lock, through);
    } else {
      map.put(moved);
    }
    map.unmap(address, oldSize());
    return to;
  }

  /** Moves a mapping by copying its private pages; both mappings exist meanwhile. */
  private static void move(
      AddressMap map, Region from, Region moved, KernelLock lock, ByteBuffer through) {
    if (moved.protection() == Protection.READ_WRITE && from.size() > MOST_UNDER_LOCK) {
      map.put(moved);
      lock.released(
          () -> {
            map.copy(from, moved.start(), through);
            return null;
          });
      return;
    }
    map.put(moved.protectedBy(Protection.READ_WRITE));
    if (!Protections.reads(from.protection())) {
      map.change(from.start(), from.end(), Protection.READ);
    }
    map.copy(from, moved.start(), through);
    map.change(moved.start(), moved.end(), moved.protection());
  }
}
