package dev.stubpool.nativestubs.calls;

import dev.stubpool.abi.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.LongUnaryOperator;

/** Calls about memory, this process's and others'. Addresses and lengths in bytes. */
public final class MemoryCalls {
  private MemoryCalls() {}

  /** Maps zeroed memory that a child shares. Its address, or -errno. */
  public static long mapShared(long size) {
    return map(size, Abi.MAP_SHARED | Abi.MAP_ANONYMOUS, -1);
  }

  /** Maps the first {@code size} bytes of a file, read-write, shared. Its address, or -errno. */
  public static long mapFile(int fd, long size) {
    return map(size, Abi.MAP_SHARED, fd);
  }

  private static long map(long size, int flags, int fd) {
    return Kernel.call(Abi.SYS_mmap, 0, size, Abi.PROT_READ | Abi.PROT_WRITE, flags, fd, 0);
  }

  /** munmap(2). 0 or -errno; EINVAL for a range beyond the end of user space. */
  public static long unmap(long address, long size) {
    return Kernel.call(Abi.SYS_munmap, address, size);
  }

  /**
   * An empty memfd that can be sealed, memfd_create(2). A descriptor, or -errno.
   *
   * <p>It cannot be executed by execve(2), whatever vm.memfd_noexec says, but it can be mapped with
   * PROT_EXEC: MFD_NOEXEC_SEAL takes the x bits of its mode away, and mmap(2) asks for none.
   */
  public static long memoryFile(String name) {
    try (Arena arena = Arena.ofConfined()) {
      long address = arena.allocateFrom(name).address();
      return memoryFile(flags -> Kernel.call(Abi.SYS_memfd_create, address, flags));
    }
  }

  /** The flags of all memfds that are made here, passed to {@code memfd_create}. */
  static long memoryFile(LongUnaryOperator memfdCreate) {
    long flags = Abi.MFD_CLOEXEC | Abi.MFD_ALLOW_SEALING;
    long fd = memfdCreate.applyAsLong(flags | Abi.MFD_NOEXEC_SEAL);
    // Before Linux 6.3 there is no such flag, and no need to give it.
    return fd == -Errno.EINVAL ? memfdCreate.applyAsLong(flags) : fd;
  }

  /** Gives a file a size, ftruncate(2). 0 or -errno. */
  public static long resize(int fd, long size) {
    return Kernel.call(Abi.SYS_ftruncate, fd, size);
  }

  /** Adds seals to a memfd, fcntl(2). 0 or -errno. */
  public static long seal(int fd, int seals) {
    return Kernel.call(Abi.SYS_fcntl, fd, Abi.F_ADD_SEALS, seals);
  }

  /**
   * Copies from another process, process_vm_readv(2).
   *
   * @param vectors the {@link IoVector} of {@code to}, which must be native, and behind it those of
   *     the other process
   * @param count how many of the other process, at most {@link Abi#IOV_MAX}
   * @return bytes copied, which are fewer where a page cannot be read, or -errno
   */
  public static long read(int pid, MemorySegment vectors, int count, MemorySegment to) {
    return copy(Abi.SYS_process_vm_readv, pid, vectors, count, to);
  }

  /**
   * Copies to another process, process_vm_writev(2).
   *
   * @param vectors the {@link IoVector} of {@code from}, which must be native, and behind it those
   *     of the other process
   * @param count how many of the other process, at most {@link Abi#IOV_MAX}
   * @return bytes copied, which are fewer where a page cannot be written, or -errno
   */
  public static long write(int pid, MemorySegment vectors, int count, MemorySegment from) {
    return copy(Abi.SYS_process_vm_writev, pid, vectors, count, from);
  }

  /** {@link #write(int, MemorySegment, int, MemorySegment)} to one place. */
  public static long write(int pid, long address, MemorySegment from) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment vectors = arena.allocate(2L * Abi.IOVEC_SIZE, Long.BYTES);
      IoVector.set(vectors, 0, from.address(), from.byteSize());
      IoVector.set(vectors, Abi.IOVEC_SIZE, address, from.byteSize());
      return write(pid, vectors, 1, from);
    }
  }

  /**
   * Copies no byte from this process to itself: 0 where the kernel is reached, -errno where a
   * seccomp filter answers in its stead.
   */
  public static long probeRead() {
    return Kernel.call(Abi.SYS_process_vm_readv, ProcessCalls.pid());
  }

  /** {@link #probeRead} for process_vm_writev(2). */
  public static long probeWrite() {
    return Kernel.call(Abi.SYS_process_vm_writev, ProcessCalls.pid());
  }

  private static long copy(
      int number, int pid, MemorySegment vectors, int count, MemorySegment local) {
    long address = vectors.address();
    return Kernel.callOn(local, number, pid, address, 1, address + Abi.IOVEC_SIZE, count, 0);
  }
}
