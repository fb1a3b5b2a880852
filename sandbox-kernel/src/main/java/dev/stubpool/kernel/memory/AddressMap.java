package dev.stubpool.kernel.memory;

import dev.stubpool.AddressSpace;
import dev.stubpool.Protection;
import dev.stubpool.Sharing;
import dev.stubpool.StubDiedException;
import dev.stubpool.StubMemory;
import dev.stubpool.StubPool;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The address space of a process: its mappings and free ranges, for mmap(2), brk(2) and related
 * calls.
 *
 * <pre>
 *   program, then brk upwards ...  ... mappings downwards, then a gap, the stack, a random gap
 * </pre>
 *
 * The range of the stub image is reserved; the program cannot change it. An operation that fails
 * changes neither the map nor the budget.
 */
public final class AddressMap {
  /** The size of the stack in bytes. */
  public static final long STACK_SIZE = 8 << 20;

  /**
   * The size in bytes of the gap below the stack, where only MAP_FIXED maps, so that a stack
   * overflow faults.
   */
  private static final long STACK_GAP = 1 << 20;

  /** A static-PIE program is loaded at or above two thirds of the address space, as Linux does. */
  private static final long PIE_BASE = 0x5555_5555_4000L;

  /** The start of the range for MAP_32BIT. */
  private static final long LOW_START = 0x4000_0000L;

  private static final long LOW_END = 0x8000_0000L;

  /**
   * The limit for the mappings of a process; Linux has 65,530 (vm.max_map_count). Some calls hold
   * the kernel's lock for a time proportional to their number.
   */
  static final int MOST_REGIONS = 1 << 14;

  private static final int RANDOM_PAGES = 1 << 22;
  private static final int RANDOM_BRK_PAGES = 1 << 13;

  private static final SecureRandom RANDOM = new SecureRandom();

  private final AddressSpace space;
  private final Mapper mapper;
  private final MemoryBudget budget;
  private final Regions regions;
  private final Set<Backing> backings = new HashSet<>();
  private final long stackTop;
  private final long mappingsTop;
  private long brkStart;
  private long brk;

  /** The bytes charged to the budget. */
  private long charged;

  private Runnable stopper = () -> {};

  /** Creates the map of a stub without mappings. */
  public AddressMap(StubPool pool, StubMemory memory, MemoryBudget budget) {
    this(pool.addressSpace(), new StubMapper(pool, memory), budget);
  }

  AddressMap(AddressSpace space, Mapper mapper, MemoryBudget budget) {
    this.space = space;
    this.mapper = mapper;
    this.budget = budget;
    regions = new Regions(space.imageStart(), space.imageEnd());
    mappingsTop =
        regions.highestFree(
            STACK_SIZE + STACK_GAP, space.lowest(), space.highest() - randomPages(RANDOM_PAGES));
    stackTop = mappingsTop + STACK_GAP + STACK_SIZE;
  }

  private AddressMap(AddressMap original, Mapper mapper) {
    this.space = original.space;
    this.mapper = mapper;
    this.budget = original.budget;
    regions = original.regions.copy();
    mappingsTop = original.mappingsTop;
    stackTop = original.stackTop;
    brkStart = original.brkStart;
    brk = original.brk;
    charged = original.charged;
  }

  private static long randomPages(int most) {
    return (1L + RANDOM.nextInt(most)) * AddressSpace.PAGE_SIZE;
  }

  // ---- fork(2) and closing ----

  /** Copies the map for a copy of the stub, fork(2), after {@link #chargeCopy}. */
  public AddressMap copyTo(StubMemory copy) {
    AddressMap map = new AddressMap(this, mapper.of(copy));
    backings.forEach(map::begin);
    return map;
  }

  /**
   * Charges the budget for a copy.
   *
   * @throws ErrnoException ENOMEM if it does not suffice
   */
  public void chargeCopy() {
    budget.charge(charged);
  }

  /** Undoes {@link #chargeCopy}. */
  public void unchargeCopy() {
    budget.uncharge(charged);
  }

  /** Releases everything charged to the budget; its memory is gone. */
  public void close() {
    budget.uncharge(charged);
    charged = 0;
    regions.remove(0, Long.MAX_VALUE);
    List.copyOf(backings).forEach(this::endIfUnmapped);
  }

  // ---- queries ----

  /** All mappings, by address. */
  public List<Region> regions() {
    return List.copyOf(regions.all());
  }

  /** The region of an address; null if nothing is mapped there. */
  Region find(long address) {
    return regions.find(address);
  }

  /** Whether [address, address + size) is within the user address space. */
  boolean isUser(long address, long size) {
    return address >= 0 && size >= 0 && size <= space.highest() - address;
  }

  /** Whether a range may be mapped and is free. */
  public boolean isFree(long address, long size) {
    return space.contains(address, size)
        && regions.isFree(address, address + size)
        && (address + size <= mappingsTop || address >= stackTop);
  }

  /**
   * The highest free address for a mapping of a size.
   *
   * @throws ErrnoException ENOMEM if there is none
   */
  long highestFree(long size) {
    return highestFree(size, space.lowest(), mappingsTop);
  }

  private long highestFree(long size, long lowest, long highest) {
    long found = regions.highestFree(size, lowest, highest);
    if (found < 0) {
      throw new ErrnoException(Errno.ENOMEM);
    }
    return found;
  }

  // ---- changes ----

  /**
   * Maps a region, replacing existing mappings.
   *
   * @throws ErrnoException ENOMEM if the budget does not allow it, or there are too many mappings
   */
  void put(Region region) {
    checkRoom(regions.moreIfReplaced(region.start(), region.end()));
    replace(region);
  }

  private void checkRoom(int more) {
    if (more > 0 && regions.size() + more > MOST_REGIONS) {
      throw new ErrnoException(Errno.ENOMEM);
    }
  }

  private void replace(Region region) {
    long more = region.chargedSize() - regions.chargedSize(region.start(), region.end());
    charge(more);
    try {
      mapper.map(region);
    } catch (RuntimeException e) {
      charge(-more);
      throw e;
    }
    Set<Backing> replaced = regions.backings(region.start(), region.end());
    regions.put(region);
    if (region.backing() != null) {
      begin(region.backing());
    }
    replaced.forEach(this::endIfUnmapped);
  }

  private void remove(long start, long end) {
    checkRoom(regions.moreIfRemoved(start, end));
    mapper.unmap(start, end);
    charge(-regions.chargedSize(start, end));
    Set<Backing> removed = regions.backings(start, end);
    regions.remove(start, end);
    removed.forEach(this::endIfUnmapped);
  }

  /** Changes the protection of a range that is fully mapped. */
  void change(long start, long end, Protection protection) {
    checkRoom(regions.moreIfReplaced(start, end));
    List<Region> changed =
        regions.within(start, end).stream().map(part -> part.protectedBy(protection)).toList();
    long more =
        changed.stream().mapToLong(Region::chargedSize).sum() - regions.chargedSize(start, end);
    charge(more);
    try {
      mapper.protect(start, end, protection);
    } catch (RuntimeException e) {
      charge(-more);
      throw e;
    }
    changed.forEach(regions::put);
  }

  private void charge(long more) {
    budget.charge(more);
    charged += more;
  }

  private void begin(Backing backing) {
    if (backings.add(backing)) {
      backing.mapped(this);
    }
  }

  private void endIfUnmapped(Backing backing) {
    if (!regions.contains(backing) && backings.remove(backing)) {
      backing.unmapped(this);
    }
  }

  /**
   * Checks that a range may be mapped, even if it is in use.
   *
   * @throws ErrnoException EPERM if the address is too low, ENOMEM if the range overlaps the image
   */
  void checkUsable(long address, long size) {
    if (address < space.lowest()) {
      throw new ErrnoException(Errno.EPERM);
    }
    if (!space.contains(address, size)) {
      throw new ErrnoException(Errno.ENOMEM);
    }
  }

  /** Copies the private pages of a region to another address, where the same is mapped writable. */
  void copy(Region from, long to, ByteBuffer through) {
    mapper.copy(from, to, through);
  }

  // ---- for the loader ----

  /** Maps the stack; returns the first address after it. */
  public long mapStack(boolean executable) {
    put(
        Region.anonymous(
            stackTop - STACK_SIZE,
            STACK_SIZE,
            Protections.of(true, true, executable),
            Region.STACK));
    return stackTop;
  }

  /**
   * Chooses the load address of a static-PIE program.
   *
   * @param size the total size in bytes, in whole pages
   * @param alignment a power of two, at least the page size
   */
  public long placeProgram(long size, long alignment) {
    long at = (PIE_BASE + randomPages(RANDOM_PAGES)) & -alignment;
    if (!isFree(at, size)) {
      at = highestFree(size + alignment);
      at = (at + alignment - 1) & -alignment;
    }
    return at;
  }

  /** Sets the start of brk, at a random distance after the program. */
  public void beginBrk(long programEnd) {
    brkStart = programEnd + randomPages(RANDOM_BRK_PAGES);
    brk = brkStart;
  }

  /** Maps private anonymous memory at a free address. */
  public void mapAnonymous(long address, long size, Protection protection) {
    put(Region.anonymous(address, size, protection, ""));
  }

  /** Maps a file privately at a free address. */
  public void mapFile(long address, long size, Backing file, long offset, Protection protection) {
    put(Region.of(file, offset, address, size, protection, Sharing.PRIVATE, true));
  }

  // ---- for files ----

  /** Sets the action that stops the guests running in this address space; none run before. */
  public void stopper(Runnable stops) {
    stopper = stops;
  }

  /** Stops the guests that run in it, as long as the caller holds the kernel's lock. */
  public void stopGuests() {
    stopper.run();
  }

  /** Renews all mappings of a backing, after the object behind it was replaced. */
  public void remap(Backing backing) {
    try {
      for (Region region : regions()) {
        // Private pages are kept, whatever happened to the file.
        if (backing.equals(region.backing()) && !region.charged()) {
          mapper.map(region);
        }
      }
    } catch (StubDiedException _) {
      // The stub is dead; its task will notice.
    }
  }

  // ---- system calls ----

  /**
   * brk(2): moves the end of the data segment and returns it. It is unchanged if there is no room.
   *
   * @param wanted the new end, 0 to query
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
        put(Region.anonymous(mapped, end - mapped, Protection.READ_WRITE, Region.HEAP));
      } else if (end < mapped) {
        unmap(end, mapped - end);
      }
    } catch (ErrnoException _) {
      return brk; // failure is reported by the unchanged value
    }
    brk = wanted;
    return brk;
  }

  /** mmap(2); returns the address. */
  public long map(MapRequest request) {
    request.check();
    long address = place(request);
    if (request.file() != null || request.sharing() == Sharing.PRIVATE) {
      put(request.region(address, request.file()));
      return address;
    }
    SharedMemory shared = mapper.share(budget, request.size());
    try {
      put(request.region(address, shared));
    } catch (RuntimeException e) {
      shared.close();
      throw e;
    }
    return address;
  }

  private long place(MapRequest request) {
    long size = request.size();
    if (request.isFixed()) {
      checkFixed(request);
      return request.address();
    }
    long wanted = Pages.down(request.address());
    if (wanted > 0 && isFree(wanted, size) && !(request.isLow() && wanted + size > LOW_END)) {
      return wanted;
    }
    return request.isLow() ? highestFree(size, LOW_START, LOW_END) : highestFree(size);
  }

  private void checkFixed(MapRequest request) {
    long address = request.address();
    if (!isUser(address, request.size())) {
      throw new ErrnoException(Errno.ENOMEM);
    }
    if (!request.replaces() && !regions.isFree(address, address + request.size())) {
      throw new ErrnoException(Errno.EEXIST);
    }
    checkUsable(address, request.size());
  }

  /** munmap(2). */
  public void unmap(long address, long length) {
    long size = Pages.up(length);
    if (!Pages.isStart(address) || size <= 0 || !isUser(address, size)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    long end = address + size;
    if (address < space.imageEnd() && end > space.imageStart()) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (!regions.isFree(address, end)) {
      remove(Math.max(address, space.lowest()), end);
    }
  }

  /** mprotect(2). Pages before the first unmapped page are changed. */
  public void protect(long address, long length, int protectionBits) {
    if (!Pages.isStart(address)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (length == 0) {
      return;
    }
    long end = address + Pages.up(length);
    if (end <= address) {
      throw new ErrnoException(Errno.ENOMEM);
    }
    Protection protection = Protections.checked(protectionBits);
    long mapped = regions.mappedUntil(address, end);
    long allowed = mapped;
    if (Protections.writes(protection)) {
      for (Region region : regions.within(address, mapped)) {
        if (!region.mayWrite()) {
          allowed = region.start();
          break;
        }
      }
    }
    if (allowed > address) {
      change(address, allowed, protection);
    }
    if (allowed < end) {
      throw new ErrnoException(allowed < mapped ? Errno.EACCES : Errno.ENOMEM);
    }
  }

  /**
   * Checks that all pages of a range are mapped, mlock(2), msync(2), madvise(2).
   *
   * @throws ErrnoException ENOMEM if they are not, EINVAL if the address is not page-aligned
   */
  public void checkMapped(long address, long length) {
    if (!Pages.isStart(address)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    long end = address + Pages.up(length);
    if (end < address || regions.mappedUntil(address, end) < end) {
      throw new ErrnoException(Errno.ENOMEM);
    }
  }

  /** MADV_DONTNEED of madvise(2): discards private pages. */
  public void discard(long address, long length) {
    for (Region part : regions.within(address, address + Pages.up(length))) {
      if (part.charged()) {
        replace(part.fresh()); // joins with its neighbours again
      }
    }
  }
}
