package dev.stubpool;

import dev.stubpool.MemoryCopies.Direction;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.Errno;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The address space of a stub: what is mapped, and copies to and from it. Belongs to one lease.
 *
 * <p>Addresses and sizes are in bytes; those of mappings are multiples of {@link
 * AddressSpace#PAGE_SIZE} and lie in {@link StubPool#addressSpace()}. Every method throws {@link
 * IllegalStateException} once the lease is closed, {@link StubDiedException} when the stub is dead,
 * and {@link SystemCallException} when the kernel refuses.
 */
public final class StubMemory {
  private final StubPool pool;
  private final Stub stub;
  private final MemoryCopies copies;
  private final SharedWords words;

  StubMemory(StubPool pool, Stub stub) {
    this.pool = pool;
    this.stub = stub;
    this.copies = new MemoryCopies(stub);
    this.words = new SharedWords(stub);
  }

  /**
   * Maps part of a file, in place of what was mapped there.
   *
   * @param address where
   * @param file what
   * @param offset from where in the file, a multiple of the page size
   * @param size how much; beyond the end of the file accesses fault
   * @param options what else
   * @throws IllegalArgumentException for an address, offset or size that is unaligned or out of
   *     range
   * @throws SystemCallException EACCES for a SHARED mapping that can be written, of a file that was
   *     not opened with WRITE
   */
  public void map(
      long address,
      Mappable file,
      long offset,
      long size,
      Protection protection,
      Sharing sharing,
      MapOption... options) {
    pool.addressSpace().check(address, size);
    if (offset < 0 || offset % AddressSpace.PAGE_SIZE != 0) {
      throw new IllegalArgumentException(
          "offset 0x%x must be a multiple of the page size 0x%x"
              .formatted(offset, AddressSpace.PAGE_SIZE));
    }
    int flags =
        Abi.MAP_FIXED
            | MapOption.flags(options)
            | switch (sharing) {
              case SHARED -> Abi.MAP_SHARED;
              case PRIVATE -> Abi.MAP_PRIVATE;
            };
    String step = "mapping " + file + " into stub " + stub.pid();
    long result =
        file.use(
            fd ->
                pool.injectMapping(
                    stub,
                    stub.process(),
                    file,
                    fd,
                    step,
                    address,
                    size,
                    protection.bits(),
                    flags,
                    offset));
    if (result < 0 && result >= -4095) {
      int errno = (int) -result;
      throw new SystemCallException("mmap", errno, step, advice(errno, file, protection, sharing));
    }
  }

  private static String advice(int errno, Mappable file, Protection protection, Sharing sharing) {
    if (errno == Errno.EACCES
        && !file.isWritable()
        && sharing == Sharing.SHARED
        && (protection.bits() & Abi.PROT_WRITE) != 0) {
      return "it was opened with READ alone: open it with READ and WRITE, or map it PRIVATE";
    }
    if (errno == Errno.EPERM && (protection.bits() & Abi.PROT_EXEC) != 0) {
      return "its file system may be mounted noexec";
    }
    return "";
  }

  /** Maps zeroed private memory, in place of what was mapped there. */
  public void mapAnonymous(long address, long size, Protection protection, MapOption... options) {
    pool.addressSpace().check(address, size);
    int flags = Abi.MAP_FIXED | Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS | MapOption.flags(options);
    call(Abi.SYS_mmap, "mmap", "mapping memory", address, size, protection.bits(), flags, -1);
  }

  /** Changes what the stub may do with pages that are mapped. */
  public void protect(long address, long size, Protection protection) {
    pool.addressSpace().check(address, size);
    call(Abi.SYS_mprotect, "mprotect", "protecting memory", address, size, protection.bits(), 0, 0);
  }

  /** Unmaps whatever is mapped in the range. */
  public void unmap(long address, long size) {
    pool.addressSpace().check(address, size);
    call(Abi.SYS_munmap, "munmap", "unmapping memory", address, size, 0, 0, 0);
  }

  /**
   * What is mapped by this library, sorted by address; ranges that are mapped alike and follow each
   * other in the same file, or are private memory without one, are one. The stub image is not among
   * them, nor what a stub that was taken over mapped by itself. Makes no system call.
   *
   * @return an immutable list, of the moment
   */
  public List<Mapping> mappings() {
    List<Mapping> mappings = stub.process().mappings.mappings();
    stub.checkUsable(); // afterwards: what was read is this lease's
    String death = stub.process().tracee.death();
    if (death != null) {
      throw new StubDiedException(stub.pid(), death, "asking for its mappings");
    }
    return mappings;
  }

  private void call(int number, String name, String step, long a, long b, long c, long d, long e) {
    long result = pool.inject(stub, stub.process(), number, a, b, c, d, e, 0);
    if (result < 0) {
      SystemCallException.check(result, name, step + " of stub " + stub.pid());
    }
  }

  // ---- copies ----

  /**
   * Copies from the stub's memory all of {@code to}, as far as its protections allow,
   * process_vm_readv(2). A page must have READ: the kernel refuses those that have only WRITE or
   * EXECUTE, though the processor lets the stub itself read them.
   *
   * @throws MemoryFaultException if a page cannot be read; {@code to} then has what lies before it
   */
  public void read(long address, MemorySegment to) {
    read(one(address, to), to);
  }

  /** {@link #read(long, MemorySegment)} into a new array of {@code size} bytes. */
  public byte[] read(long address, int size) {
    if (size < 0) {
      throw new IllegalArgumentException("size is " + size + ", must not be negative");
    }
    byte[] bytes = new byte[size];
    read(address, MemorySegment.ofArray(bytes));
    return bytes;
  }

  /**
   * Gathers ranges of the stub's memory, one behind the other, into {@code to}. Up to 1,024 ranges
   * are one system call.
   *
   * @param from with as many bytes together as {@code to}
   * @throws MemoryFaultException if a page cannot be read; {@code to} then has what comes before it
   */
  public void read(List<MemoryRange> from, MemorySegment to) {
    checkWritable(to);
    copies.copy(Direction.READ, List.copyOf(from), to);
  }

  /**
   * {@link #read(long, MemorySegment)} as far as it goes.
   *
   * @return how many bytes were copied; if they are fewer than {@code to} has, then {@code address}
   *     plus this is the first address that cannot be read
   */
  public long readSome(long address, MemorySegment to) {
    return readSome(one(address, to), to);
  }

  /**
   * {@link #read(List, MemorySegment)} as far as it goes.
   *
   * @return how many bytes were copied, of all ranges; the first that is missing cannot be read
   */
  public long readSome(List<MemoryRange> from, MemorySegment to) {
    checkWritable(to);
    return copies.copySome(Direction.READ, List.copyOf(from), to);
  }

  /**
   * Copies all of {@code from} to the stub's memory, as far as its protections allow,
   * process_vm_writev(2).
   *
   * @throws MemoryFaultException if a page cannot be written; what lies before it is written then
   * @throws IllegalArgumentException if the range meets the image's
   */
  public void write(long address, MemorySegment from) {
    write(one(address, from), from);
  }

  /** {@link #write(long, MemorySegment)} of an array. */
  public void write(long address, byte[] from) {
    write(address, MemorySegment.ofArray(from));
  }

  /**
   * Scatters {@code from} over ranges of the stub's memory, one after the other. Up to 1,024 ranges
   * are one system call.
   *
   * @param to with as many bytes together as {@code from}
   * @throws MemoryFaultException if a page cannot be written; what comes before it is written then
   * @throws IllegalArgumentException if a range meets the image's; nothing is written then
   */
  public void write(List<MemoryRange> to, MemorySegment from) {
    copies.copy(Direction.WRITE, outsideTheImage(to), from);
  }

  /**
   * {@link #write(long, MemorySegment)} as far as it goes.
   *
   * @return how many bytes were copied; if they are fewer than {@code from} has, then {@code
   *     address} plus this is the first address that cannot be written
   */
  public long writeSome(long address, MemorySegment from) {
    return writeSome(one(address, from), from);
  }

  /**
   * {@link #write(List, MemorySegment)} as far as it goes.
   *
   * @return how many bytes were copied, to all ranges; the next could not be written
   */
  public long writeSome(List<MemoryRange> to, MemorySegment from) {
    return copies.copySome(Direction.WRITE, outsideTheImage(to), from);
  }

  private static List<MemoryRange> one(long address, MemorySegment local) {
    return List.of(new MemoryRange(address, local.byteSize()));
  }

  private static void checkWritable(MemorySegment to) {
    if (to.isReadOnly()) {
      throw new IllegalArgumentException("cannot read into a read-only segment");
    }
  }

  /** These ranges, which do not change any more, if none meets the image. */
  private List<MemoryRange> outsideTheImage(List<MemoryRange> given) {
    AddressSpace space = pool.addressSpace();
    List<MemoryRange> ranges = List.copyOf(given);
    for (MemoryRange range : ranges) {
      if (space.meetsImage(range.address(), range.size())) {
        throw new IllegalArgumentException(
            "[0x%x, 0x%x) meets the image's range [0x%x, 0x%x), which is not the holder's"
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

  /**
   * Reads a string that ends with NUL. No page behind the one with the NUL is touched.
   *
   * @param address of its first byte
   * @param mostBytes how many bytes it may have, the NUL included, such as 4096 for a path
   * @return its bytes, without the NUL
   * @throws MemoryFaultException if a page before the NUL cannot be read
   * @throws SystemCallException ENAMETOOLONG if there is no NUL among so many bytes
   */
  public byte[] readUntilNul(long address, int mostBytes) {
    if (mostBytes <= 0) {
      throw new IllegalArgumentException("mostBytes is " + mostBytes + ", must be positive");
    }
    return copies.untilNul(address, mostBytes);
  }

  /**
   * {@link #readUntilNul} as UTF-8. What is not UTF-8 becomes U+FFFD, and what it was is lost: take
   * the bytes where that matters, as it does for the names of files.
   */
  public String readString(long address, int mostBytes) {
    return new String(readUntilNul(address, mostBytes), StandardCharsets.UTF_8);
  }

  // ---- words that are shared with what runs in the stub ----

  /**
   * Reads 32 bits atomically, as by {@link VarHandle#getVolatile}, from a {@link MemoryFile} that
   * is mapped {@link Sharing#SHARED}. This and the methods below make no system call; what runs in
   * the stub, in others that map the file, and in this JVM sees them as it sees its own atomic
   * instructions. They do what the stub itself may do at the address, by the protection that this
   * library gave it.
   *
   * @param address a multiple of the word's size
   * @throws IllegalArgumentException if it is not
   * @throws MemoryFaultException if the stub could not do it: nothing is mapped there, the
   *     protection does not allow it, or the file ends before
   * @throws NotSharedMemoryException for all other memory, which this JVM does not have
   * @throws IllegalStateException if the memory file is closed, besides when the lease is
   */
  public int getInt(long address) {
    return words.getInt(address);
  }

  /** Writes 32 bits as {@link #getInt} reads them, by {@link VarHandle#setVolatile}. */
  public void putInt(long address, int value) {
    words.putInt(address, value);
  }

  /**
   * Writes {@code value} if there is {@code expected}, atomically; errors as of {@link #getInt}.
   *
   * @return what was there: {@code expected} if it was written
   */
  public int compareAndExchangeInt(long address, int expected, int value) {
    return words.compareAndExchangeInt(address, expected, value);
  }

  /** Adds, atomically, and returns what was there before; errors as of {@link #getInt}. */
  public int getAndAddInt(long address, int delta) {
    return words.getAndAddInt(address, delta);
  }

  /** Writes, atomically, and returns what was there before; errors as of {@link #getInt}. */
  public int getAndSetInt(long address, int value) {
    return words.getAndSetInt(address, value);
  }

  /** {@link #getInt} for 64 bits. */
  public long getLong(long address) {
    return words.getLong(address);
  }

  /** {@link #putInt} for 64 bits. */
  public void putLong(long address, long value) {
    words.putLong(address, value);
  }

  /** {@link #compareAndExchangeInt} for 64 bits. */
  public long compareAndExchangeLong(long address, long expected, long value) {
    return words.compareAndExchangeLong(address, expected, value);
  }

  /** {@link #getAndAddInt} for 64 bits. */
  public long getAndAddLong(long address, long delta) {
    return words.getAndAddLong(address, delta);
  }

  /** {@link #getAndSetInt} for 64 bits. */
  public long getAndSetLong(long address, long value) {
    return words.getAndSetLong(address, value);
  }
}
