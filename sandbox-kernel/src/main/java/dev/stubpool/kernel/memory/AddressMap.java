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
 * What a process has mapped, and where there is room: mmap(2), brk(2) and what goes with them.
 *
 * <pre>
 *   program, then brk upwards ...  ... mappings downwards, then a gap, the stack, a random gap
 * </pre>
 *
 * The stub image's range lies somewhere in it: to the program it is a mapping that is not its own.
 * What fails has changed nothing, neither here nor in the budget.
 */
public final class AddressMap {
  /** Bytes of the stack. */
  public static final long STACK_SIZE = 8 << 20;

  /** Pages that are mapped only where somebody insists, so that a stack that overflows faults. */
  private static final long STACK_GAP = 1 << 20;

  /** A static-PIE program is loaded at or above two thirds of the address space, as Linux does. */
  private static final long PIE_BASE = 0x5555_5555_4000L;

  /** Where MAP_32BIT has mappings. */
  private static final long LOW_START = 0x4000_0000L;

  private static final long LOW_END = 0x8000_0000L;

  /**
   * The most mappings of a process; Linux has 65,530 (vm.max_map_count). Some calls take time in
   * proportion to them, with the kernel's lock held.
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

  /** What of the budget it has taken. */
  private long charged;

  private Runnable stopper = () -> {};

  /** The map of a stub that has nothing mapped. */
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

  // ---- fork(2) and the end ----

  /** The same map for a copy of the stub, fork(2); {@link #chargeCopy} was called before. */
  public AddressMap copyTo(StubMemory copy) {
    AddressMap map = new AddressMap(this, mapper.of(copy));
    backings.forEach(map::begin);
    return map;
  }

  /**
   * Takes from the budget what a copy needs.
   *
   * @throws ErrnoException ENOMEM if that is not there
   */
  public void chargeCopy() {
    budget.charge(charged);
  }

  /** Gives back what {@link #chargeCopy} took. */
  public void unchargeCopy() {
    budget.uncharge(charged);
  }

  /** Gives back all that it took from the budget: its memory is no more. */
  public void close() {
    budget.uncharge(charged);
    charged = 0;
    regions.remove(0, Long.MAX_VALUE);
    List.copyOf(backings).forEach(this::endIfUnmapped);
  }

  // ---- what is mapped ----

  /** All that is mapped, by address. */
  public List<Region> regions() {
    return List.copyOf(regions.all());
  }

  /** The region of an address; null if nothing is mapped there. */
  Region find(long address) {
    return regions.find(address);
  }

  /** Whether [address, address + size) are addresses that a program can have. */
  boolean isUser(long address, long size) {
    return address >= 0 && size >= 0 && size <= space.highest() - address;
  }

  /** Whether a range can be mapped and nothing of it is. */
  public boolean isFree(long address, long size) {
    return space.contains(address, size)
        && regions.isFree(address, address + size)
        && (address + size <= mappingsTop || address >= stackTop);
  }

  /**
   * The highest place for a mapping.
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
   * Maps a region in place of whatever is there.
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

  /** Protects a range that is mapped as a whole. */
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
   * Checks that a mapping can be put in a place, whatever is there.
   *
   * @throws ErrnoException EPERM if it is too low, ENOMEM if the image is there
   */
  void checkUsable(long address, long size) {
    if (address < space.lowest()) {
      throw new ErrnoException(Errno.EPERM);
    }
    if (!space.contains(address, size)) {
      throw new ErrnoException(Errno.ENOMEM);
    }
  }

  /** Copies pages of its own to another place, where the same was mapped to be written. */
  void copy(Region from, long to, ByteBuffer through) {
    mapper.copy(from, to, through);
  }

  // ---- for the loader ----

  /** Maps the stack; the first address behind it. */
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
   * Chooses where to load a static-PIE program.
   *
   * @param size of all of it, up to its last page
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

  /** Where brk begins: somewhere behind the program. */
  public void beginBrk(long programEnd) {
    brkStart = programEnd + randomPages(RANDOM_BRK_PAGES);
    brk = brkStart;
  }

  /** Maps private memory at an address that was found free. */
  public void mapAnonymous(long address, long size, Protection protection) {
    put(Region.anonymous(address, size, protection, ""));
  }

  /** Maps a file privately at an address that was found free. */
  public void mapFile(long address, long size, Backing file, long offset, Protection protection) {
    put(Region.of(file, offset, address, size, protection, Sharing.PRIVATE, true));
  }

  // ---- for files ----

  /** Says what stops the guests that run in it; before that none do. */
  public void stopper(Runnable stops) {
    stopper = stops;
  }

  /** Stops the guests that run in it, for as long as the caller keeps the kernel's lock. */
  public void stopGuests() {
    stopper.run();
  }

  /** Maps a backing again where it is mapped, for it gives something else to be mapped by now. */
  public void remap(Backing backing) {
    try {
      for (Region region : regions()) {
        // Pages of its own are the program's, whatever became of the file.
        if (backing.equals(region.backing()) && !region.charged()) {
          mapper.map(region);
        }
      }
    } catch (StubDiedException _) {
      // Nobody will look: its task finds that out.
    }
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
        put(Region.anonymous(mapped, end - mapped, Protection.READ_WRITE, Region.HEAP));
      } else if (end < mapped) {
        unmap(end, mapped - end);
      }
    } catch (ErrnoException _) {
      return brk; // that is how it fails
    }
    brk = wanted;
    return brk;
  }

  /** mmap(2): where. */
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

  /** mprotect(2). What lies before a page that is not mapped is changed. */
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
   * @throws ErrnoException ENOMEM if they are not, EINVAL if the address is no page's start
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

  /** MADV_DONTNEED of madvise(2): what private memory has of its own is forgotten. */
  public void discard(long address, long length) {
    for (Region part : regions.within(address, address + Pages.up(length))) {
      if (part.charged()) {
        replace(part.fresh()); // what it is joined with again
      }
    }
  }
}
