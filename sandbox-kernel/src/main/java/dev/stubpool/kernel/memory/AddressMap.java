package dev.stubpool.kernel.memory;

import dev.stubpool.AddressSpace;
import dev.stubpool.Mappable;
import dev.stubpool.MemoryFile;
import dev.stubpool.Protection;
import dev.stubpool.Sharing;
import dev.stubpool.StubMemory;
import dev.stubpool.StubPool;
import dev.stubpool.SystemCallException;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.MapFlags;
import java.nio.file.Path;
import java.security.SecureRandom;

/**
 * What a process has mapped, and where there is room: mmap(2), brk(2) and what goes with them.
 *
 * <pre>
 *   program, then brk upwards ...  ... mappings downwards, then a gap, the stack, a random gap
 * </pre>
 *
 * The stub image's range lies somewhere in it and is never given out.
 */
public final class AddressMap {
  /** Bytes of the stack. */
  public static final long STACK_SIZE = 8 << 20;

  /** Pages that are never mapped, so that a stack that overflows faults. */
  private static final long STACK_GAP = 1 << 20;

  /** A static-PIE program is loaded at or above two thirds of the address space, as Linux does. */
  private static final long PIE_BASE = 0x5555_5555_4000L;

  private static final int RANDOM_PAGES = 1 << 22;
  private static final int RANDOM_BRK_PAGES = 1 << 13;

  private final StubPool pool;
  private final StubMemory memory;
  private final AddressSpace space;
  private final Regions regions = new Regions();
  private final SecureRandom random = new SecureRandom();
  private final long stackTop;
  private final long mappingsTop;
  private long brkStart;
  private long brk;

  /** The map of a stub that has nothing mapped. */
  public AddressMap(StubPool pool, StubMemory memory) {
    this.pool = pool;
    this.memory = memory;
    this.space = pool.addressSpace();
    regions.add(space.imageStart(), space.imageEnd());
    long stack =
        regions.highestFree(
            STACK_SIZE + STACK_GAP, space.lowest(), space.highest() - randomPages(RANDOM_PAGES));
    stackTop = stack + STACK_SIZE + STACK_GAP;
    mappingsTop = stack;
    regions.add(stack, space.highest());
  }

  private long randomPages(int most) {
    return (1L + random.nextInt(most)) * AddressSpace.PAGE_SIZE;
  }

  /** What the host's kernel refuses is the guest's error. */
  private static void onHost(Runnable call) {
    try {
      call.run();
    } catch (SystemCallException e) {
      throw new ErrnoException(Errno.of(e.errno()));
    }
  }

  // ---- for the loader ----

  /** Maps the stack; the first address behind it. */
  public long mapStack(boolean executable) {
    Protection protection = Protections.of(true, true, executable);
    onHost(() -> memory.mapAnonymous(stackTop - STACK_SIZE, STACK_SIZE, protection));
    return stackTop;
  }

  /**
   * Chooses where to load a static-PIE program.
   *
   * @param size of all of it, up to its last page
   * @param alignment a power of two, at least the page size
   */
  public long placeProgram(long size, long alignment) {
    long at = (PIE_BASE + randomPages(RANDOM_PAGES)) & -alignment;
    if (!isFree(at, size)) {
      at = regions.highestFree(size + alignment, space.lowest(), mappingsTop);
      at = (at + alignment - 1) & -alignment;
    }
    return at;
  }

  /** Whether a range can be mapped and nothing of it is. */
  public boolean isFree(long address, long size) {
    return space.contains(address, size) && regions.isFree(address, address + size);
  }

  /** Where brk begins: somewhere behind the program. */
  public void beginBrk(long programEnd) {
    brkStart = programEnd + randomPages(RANDOM_BRK_PAGES);
    brk = brkStart;
  }

  /** Maps private memory at an address that was found free. */
  public void mapAnonymous(long address, long size, Protection protection) {
    onHost(() -> memory.mapAnonymous(address, size, protection));
    regions.add(address, address + size);
  }

  /** Maps a file privately at an address that was found free. */
  public void mapFile(long address, long size, Mappable file, long offset, Protection protection) {
    onHost(() -> memory.map(address, file, offset, size, protection, Sharing.PRIVATE));
    regions.add(address, address + size);
  }

  // ---- system calls ----

  /**
   * brk(2): moves the end of the data; where it is then. Nothing changes if there is no room.
   *
   * @param wanted where to, 0 to ask
   */
  public long brk(long wanted) {
    long mapped = Pages.up(brk);
    long end = Pages.up(wanted);
    if (wanted < brkStart || end < brkStart || end > mappingsTop) {
      return brk;
    }
    try {
      if (end > mapped) {
        if (!isFree(mapped, end - mapped)) {
          return brk;
        }
        mapAnonymous(mapped, end - mapped, Protection.READ_WRITE);
      } else if (end < mapped) {
        unmap(end, mapped - end);
      }
    } catch (ErrnoException _) {
      return brk;
    }
    brk = wanted;
    return brk;
  }

  /**
   * mmap(2).
   *
   * @param file what to map; null for memory
   * @return where
   */
  public long map(long hint, long length, int protectionBits, int flags, Path file, long offset) {
    if (length <= 0 || Pages.up(length) <= 0) {
      throw new ErrnoException(length == 0 ? Errno.EINVAL : Errno.ENOMEM);
    }
    if (!Pages.isStart(offset) || offset < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    Protection protection = Protections.of(protectionBits);
    Sharing sharing =
        switch (flags & MapFlags.MAP_TYPE) {
          case MapFlags.MAP_SHARED, MapFlags.MAP_SHARED_VALIDATE -> Sharing.SHARED;
          case MapFlags.MAP_PRIVATE -> Sharing.PRIVATE;
          default -> throw new ErrnoException(Errno.EINVAL);
        };
    long size = Pages.up(length);
    long address = place(hint, size, flags);
    onHost(
        () -> {
          if (file != null) {
            try (Mappable host = pool.mappable(file)) {
              memory.map(address, host, offset, size, protection, sharing);
            }
          } else if (sharing == Sharing.SHARED) {
            try (MemoryFile shared = pool.memoryFile(size)) {
              memory.map(address, shared, 0, size, protection, sharing);
            }
          } else {
            memory.mapAnonymous(address, size, protection);
          }
        });
    regions.add(address, address + size);
    return address;
  }

  private long place(long hint, long size, int flags) {
    if (Bits.any(flags, MapFlags.MAP_FIXED | MapFlags.MAP_FIXED_NOREPLACE)) {
      if (!Pages.isStart(hint)) {
        throw new ErrnoException(Errno.EINVAL);
      }
      if (!space.contains(hint, size)) {
        throw new ErrnoException(Errno.ENOMEM);
      }
      if (Bits.any(flags, MapFlags.MAP_FIXED_NOREPLACE) && !regions.isFree(hint, hint + size)) {
        throw new ErrnoException(Errno.EEXIST);
      }
      return hint;
    }
    long wanted = Pages.down(hint);
    if (wanted != 0 && isFree(wanted, size)) {
      return wanted;
    }
    long found = regions.highestFree(size, space.lowest(), mappingsTop);
    if (found < 0) {
      throw new ErrnoException(Errno.ENOMEM);
    }
    return found;
  }

  /** munmap(2). */
  public void unmap(long address, long length) {
    long size = checkedSize(address, length, Errno.EINVAL);
    onHost(() -> memory.unmap(address, size));
    regions.remove(address, address + size);
  }

  /** mprotect(2). */
  public void protect(long address, long length, int protectionBits) {
    Protection protection = Protections.of(protectionBits);
    if (length == 0 && Pages.isStart(address)) {
      return;
    }
    long size = checkedSize(address, length, Errno.ENOMEM);
    onHost(() -> memory.protect(address, size, protection));
  }

  private long checkedSize(long address, long length, Errno outside) {
    long size = Pages.up(length);
    if (!Pages.isStart(address) || length == 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (!space.contains(address, size)) {
      throw new ErrnoException(outside);
    }
    return size;
  }
}
