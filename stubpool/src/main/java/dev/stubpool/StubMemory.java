package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.Errno;
import dev.stubpool.nativestubs.MemoryCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
  /** Bytes copied under one hold, which holds off the tracer's reaping and recycling. */
  private static final long MOST_AT_ONCE = 1 << 20;

  private final StubPool pool;
  private final Stub stub;

  StubMemory(StubPool pool, Stub stub) {
    this.pool = pool;
    this.stub = stub;
  }

  /**
   * Maps part of a file, in place of what was mapped there.
   *
   * @param address where
   * @param file what
   * @param offset from where in the file, a multiple of the page size
   * @param size how much; beyond the end of the file accesses fault
   * @throws IllegalArgumentException for an address, offset or size that is unaligned or out of
   *     range
   * @throws SystemCallException EACCES for a SHARED mapping that can be written, of a file that was
   *     not opened with WRITE
   */
  public void map(
      long address, Mappable file, long offset, long size, Protection protection, Sharing sharing) {
    pool.addressSpace().check(address, size);
    if (offset < 0 || offset % AddressSpace.PAGE_SIZE != 0) {
      throw new IllegalArgumentException(
          "offset 0x%x must be a multiple of the page size 0x%x"
              .formatted(offset, AddressSpace.PAGE_SIZE));
    }
    int flags =
        Abi.MAP_FIXED
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
  public void mapAnonymous(long address, long size, Protection protection) {
    pool.addressSpace().check(address, size);
    int flags = Abi.MAP_FIXED | Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS;
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
   * other in the same file, or are private memory without one, are one. Makes no system call.
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
    SystemCallException.check(result, name, step + " of stub " + stub.pid());
  }

  /**
   * Copies from the stub's memory all of {@code to}, as far as its protections allow,
   * process_vm_readv(2).
   *
   * @throws SystemCallException EFAULT if a page cannot be read; {@code to} then has what lies
   *     before that page
   */
  public void read(long address, MemorySegment to) {
    if (to.isReadOnly()) {
      throw new IllegalArgumentException("cannot read into a read-only segment");
    }
    copy(address, to, true);
  }

  /** {@link #read(long, MemorySegment)} into a new array of {@code size} bytes. */
  public byte[] read(long address, int size) {
    if (size < 0) {
      throw new IllegalArgumentException("size is " + size + ", must not be negative");
    }
    byte[] bytes = new byte[size];
    copy(address, MemorySegment.ofArray(bytes), true);
    return bytes;
  }

  /**
   * Copies all of {@code from} to the stub's memory, as far as its protections allow,
   * process_vm_writev(2).
   *
   * @throws SystemCallException EFAULT if a page cannot be written; what lies before it is written
   *     then
   * @throws IllegalArgumentException if the range meets the image's
   */
  public void write(long address, MemorySegment from) {
    if (pool.addressSpace().meetsImage(address, from.byteSize())) {
      throw new IllegalArgumentException(
          "[0x%x, 0x%x) meets the image's range [0x%x, 0x%x), which is not the holder's"
              .formatted(
                  address,
                  address + from.byteSize(),
                  pool.addressSpace().imageStart(),
                  pool.addressSpace().imageEnd()));
    }
    copy(address, from, false);
  }

  /** {@link #write(long, MemorySegment)} of an array. */
  public void write(long address, byte[] from) {
    write(address, MemorySegment.ofArray(from));
  }

  private void copy(long address, MemorySegment local, boolean read) {
    String name = read ? "process_vm_readv" : "process_vm_writev";
    long done = 0;
    while (done < local.byteSize()) {
      MemorySegment part = local.asSlice(done, Math.min(local.byteSize() - done, MOST_AT_ONCE));
      long copied =
          part.isNative()
              ? copyOnce(address + done, part, read)
              : copyByDetour(address + done, part, read);
      if (copied <= 0) {
        throw failure(name, copied == 0 ? Errno.EFAULT : (int) -copied, address + done);
      }
      done += copied;
    }
  }

  /** By way of native memory: the kernel does not reach the Java heap. */
  private long copyByDetour(long address, MemorySegment part, boolean read) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(part.byteSize());
      if (!read) {
        buffer.copyFrom(part);
      }
      long copied = copyOnce(address, buffer, read);
      if (read && copied > 0) {
        MemorySegment.copy(buffer, 0, part, 0, copied);
      }
      return copied;
    }
  }

  /** Under a hold, so that the process keeps its pid and its lease for the length of the call. */
  private long copyOnce(long address, MemorySegment local, boolean read) {
    var tracee = stub.process().tracee;
    if (!tracee.hold()) {
      stub.checkUsable();
      return -Errno.ESRCH;
    }
    try {
      stub.checkUsable();
      return read
          ? MemoryCalls.read(tracee.pid(), address, local)
          : MemoryCalls.write(tracee.pid(), address, local);
    } finally {
      tracee.release();
    }
  }

  private RuntimeException failure(String name, int errno, long address) {
    String step = "copying memory of stub " + stub.pid() + " at 0x" + Long.toHexString(address);
    if (errno == Errno.ESRCH) {
      String how = stub.process().tracee.death();
      return new StubDiedException(stub.pid(), how == null ? "being killed" : how, step);
    }
    return new SystemCallException(name, errno, step);
  }
}
