package dev.stubpool.memory;

import dev.stubpool.AddressSpace;
import dev.stubpool.MapOption;
import dev.stubpool.Mappable;
import dev.stubpool.Mapping;
import dev.stubpool.MemoryRange;
import dev.stubpool.Protection;
import dev.stubpool.Sharing;
import dev.stubpool.StubMemory;
import dev.stubpool.abi.Errno;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.memory.MemoryCopies.Direction;
import dev.stubpool.nativestubs.calls.Abi;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/** The implementation of {@link StubMemory}, for one lease. */
public final class LeaseMemory implements StubMemory {
  private final MemoryTarget target;
  private final MemoryCopies copies;
  private final SharedWords words;

  /** Makes the memory of a lease. */
  public LeaseMemory(MemoryTarget target) {
    this.target = target;
    this.copies = new MemoryCopies(target);
    this.words = new SharedWords(target);
  }

  @Override
  public void map(
      long address,
      Mappable file,
      long offset,
      long size,
      Protection protection,
      Sharing sharing,
      MapOption... options) {
    checkRange(address, size);
    if (offset < 0 || offset % AddressSpace.PAGE_SIZE != 0) {
      throw new IllegalArgumentException(
          "offset 0x%x must be a multiple of the page size 0x%x"
              .formatted(offset, AddressSpace.PAGE_SIZE));
    }
    int flags =
        Abi.MAP_FIXED
            | flags(options)
            | switch (sharing) {
              case SHARED -> Abi.MAP_SHARED;
              case PRIVATE -> Abi.MAP_PRIVATE;
            };
    MappableFile mapped = ownFile(file);
    String step = "mapping " + file + " into stub " + target.tracee().pid();
    long result =
        mapped.use(
            fd -> target.map(mapped, fd, step, address, size, protection.bits(), flags, offset));
    if (Failures.isError(result)) {
      int errno = (int) -result;
      throw Failures.make()
          .systemCall("mmap", errno, step, advice(errno, mapped, protection, sharing));
    }
  }

  private static MappableFile ownFile(Mappable file) {
    if ((Object) Objects.requireNonNull(file, "file") instanceof MappableFile own) {
      return own;
    }
    throw new IllegalArgumentException(
        "only files of StubPool.memoryFile and StubPool.mappable can be mapped, not " + file);
  }

  private static int flags(MapOption... options) {
    int flags = 0;
    for (MapOption option : options) {
      flags |=
          switch (option) {
            case POPULATE -> Abi.MAP_POPULATE;
          };
    }
    return flags;
  }

  /** Throws if a range does not consist of whole pages, or cannot be mapped as a whole. */
  private void checkRange(long address, long size) {
    AddressSpace space = target.addressSpace();
    if (address % AddressSpace.PAGE_SIZE != 0 || size % AddressSpace.PAGE_SIZE != 0) {
      throw new IllegalArgumentException(
          "address 0x%x and size 0x%x must be multiples of the page size 0x%x"
              .formatted(address, size, AddressSpace.PAGE_SIZE));
    }
    if (!space.contains(address, size)) {
      throw new IllegalArgumentException(
          "[0x%x, 0x%x) cannot be mapped: mappable addresses are [0x%x, 0x%x) without the stub image's [0x%x, 0x%x)"
              .formatted(
                  address,
                  address + size,
                  space.lowest(),
                  space.highest(),
                  space.imageStart(),
                  space.imageEnd()));
    }
  }

  private static String advice(
      int errno, MappableFile file, Protection protection, Sharing sharing) {
    if (errno == Errno.EACCES
        && !file.isWritable()
        && sharing == Sharing.SHARED
        && (protection.bits() & Abi.PROT_WRITE) != 0) {
      return "the file was opened with READ alone: open it with READ and WRITE, or map it PRIVATE";
    }
    if (errno == Errno.EPERM && (protection.bits() & Abi.PROT_EXEC) != 0) {
      return "the file system may be mounted noexec: map the file without execute permission, or"
          + " remount the file system";
    }
    return "";
  }

  @Override
  public void mapAnonymous(long address, long size, Protection protection, MapOption... options) {
    checkRange(address, size);
    int flags = Abi.MAP_FIXED | Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS | flags(options);
    call(Abi.SYS_mmap, "mmap", "mapping memory", address, size, protection.bits(), flags, -1);
  }

  @Override
  public void protect(long address, long size, Protection protection) {
    checkRange(address, size);
    call(Abi.SYS_mprotect, "mprotect", "protecting memory", address, size, protection.bits(), 0, 0);
  }

  @Override
  public void unmap(long address, long size) {
    checkRange(address, size);
    call(Abi.SYS_munmap, "munmap", "unmapping memory", address, size, 0, 0, 0);
  }

  @Override
  public List<Mapping> mappings() {
    List<Mapping> mappings = target.mappings().mappings();
    target.checkUsable(); // after the read, which was of this lease's mappings if it is still open
    String death = target.tracee().death();
    if (death != null) {
      throw Failures.make().died(target.tracee().pid(), death, "asking for its mappings");
    }
    return mappings;
  }

  private void call(int number, String name, String step, long a, long b, long c, long d, long e) {
    long result = target.call(number, a, b, c, d, e, 0);
    if (result < 0) {
      Failures.check(result, name, step + " of stub " + target.tracee().pid());
    }
  }

  // ---- copies ----

  @Override
  public void read(long address, MemorySegment to) {
    read(one(address, to), to);
  }

  @Override
  public byte[] read(long address, int size) {
    if (size < 0) {
      throw new IllegalArgumentException("size is " + size + ", must not be negative");
    }
    byte[] bytes = new byte[size];
    read(address, MemorySegment.ofArray(bytes));
    return bytes;
  }

  @Override
  public void read(List<MemoryRange> from, MemorySegment to) {
    checkWritable(to);
    copies.copy(Direction.READ, List.copyOf(from), to);
  }

  @Override
  public long readSome(long address, MemorySegment to) {
    return readSome(one(address, to), to);
  }

  @Override
  public long readSome(List<MemoryRange> from, MemorySegment to) {
    checkWritable(to);
    return copies.copySome(Direction.READ, List.copyOf(from), to);
  }

  @Override
  public void write(long address, MemorySegment from) {
    write(one(address, from), from);
  }

  @Override
  public void write(long address, byte[] from) {
    write(address, MemorySegment.ofArray(from));
  }

  @Override
  public void write(List<MemoryRange> to, MemorySegment from) {
    copies.copy(Direction.WRITE, checkedOutsideImage(to), from);
  }

  @Override
  public long writeSome(long address, MemorySegment from) {
    return writeSome(one(address, from), from);
  }

  @Override
  public long writeSome(List<MemoryRange> to, MemorySegment from) {
    return copies.copySome(Direction.WRITE, checkedOutsideImage(to), from);
  }

  private static List<MemoryRange> one(long address, MemorySegment local) {
    return List.of(new MemoryRange(address, local.byteSize()));
  }

  private static void checkWritable(MemorySegment to) {
    if (to.isReadOnly()) {
      throw new IllegalArgumentException("cannot read into a read-only segment");
    }
  }

  /** Returns an immutable copy of the ranges. Throws if one overlaps the image's range. */
  private List<MemoryRange> checkedOutsideImage(List<MemoryRange> given) {
    AddressSpace space = target.addressSpace();
    List<MemoryRange> ranges = List.copyOf(given);
    for (MemoryRange range : ranges) {
      if (space.meetsImage(range.address(), range.size())) {
        throw new IllegalArgumentException(
            "[0x%x, 0x%x) overlaps the stub image's range [0x%x, 0x%x), which cannot be written"
                .formatted(
                    range.address(),
                    range.address() + range.size(),
                    space.imageStart(),
                    space.imageEnd()));
      }
    }
    return ranges;
  }

  // ---- strings ----

  @Override
  public byte[] readUntilNul(long address, int mostBytes) {
    if (mostBytes <= 0) {
      throw new IllegalArgumentException("mostBytes is " + mostBytes + ", must be positive");
    }
    return copies.untilNul(address, mostBytes);
  }

  @Override
  public String readString(long address, int mostBytes) {
    return new String(readUntilNul(address, mostBytes), StandardCharsets.UTF_8);
  }

  // ---- atomic operations on shared memory ----

  @Override
  public int getInt(long address) {
    return words.getInt(address);
  }

  @Override
  public void putInt(long address, int value) {
    words.putInt(address, value);
  }

  @Override
  public int compareAndExchangeInt(long address, int expected, int value) {
    return words.compareAndExchangeInt(address, expected, value);
  }

  @Override
  public int getAndAddInt(long address, int delta) {
    return words.getAndAddInt(address, delta);
  }

  @Override
  public int getAndSetInt(long address, int value) {
    return words.getAndSetInt(address, value);
  }

  @Override
  public long getLong(long address) {
    return words.getLong(address);
  }

  @Override
  public void putLong(long address, long value) {
    words.putLong(address, value);
  }

  @Override
  public long compareAndExchangeLong(long address, long expected, long value) {
    return words.compareAndExchangeLong(address, expected, value);
  }

  @Override
  public long getAndAddLong(long address, long delta) {
    return words.getAndAddLong(address, delta);
  }

  @Override
  public long getAndSetLong(long address, long value) {
    return words.getAndSetLong(address, value);
  }
}
