package dev.stubpool.kernel.call;

import dev.stubpool.AddressSpace;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.MapFlags;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.memory.AddressMap;
import dev.stubpool.kernel.memory.Backing;
import dev.stubpool.kernel.memory.MapRequest;
import dev.stubpool.kernel.memory.Pages;
import dev.stubpool.kernel.memory.Remapping;
import dev.stubpool.kernel.process.Task;
import java.util.Arrays;

/** System calls on memory mappings. */
final class MemoryCalls {
  private static final int MADV_DONTNEED = 4;
  private static final int MADV_DONTNEED_LOCKED = 24;

  /** Advice that affects only performance. */
  private static final long HARMLESS_ADVICE =
      bits(0, 1, 2, 3, 8, 10, 11, 12, 13, 14, 15, 16, 17, 20, 21, 22, 23);

  private static final int MS_ASYNC = 1;
  private static final int MS_INVALIDATE = 2;
  private static final int MS_SYNC = 4;
  private static final int MLOCK_ONFAULT = 1;
  private static final int MCL_CURRENT = 1;
  private static final int MCL_FUTURE = 2;
  private static final int MCL_ONFAULT = 4;
  private static final int MEMBARRIER_CMD_QUERY = 0;

  private MemoryCalls() {}

  private static long bits(int... numbers) {
    long bits = 0;
    for (int number : numbers) {
      bits |= 1L << number;
    }
    return bits;
  }

  private static AddressMap map(Task task) {
    return task.program().map();
  }

  /** brk, brk(2). */
  static long brk(Task task, Arguments arguments) {
    return map(task).brk(arguments.word(0));
  }

  /** mmap(2). */
  static long mmap(Task task, Arguments arguments) {
    int flags = arguments.integer(3);
    OpenFile file =
        Bits.any(flags, MapFlags.MAP_ANONYMOUS)
            ? null
            : task.process().descriptors().get(arguments.integer(4));
    return map(task)
        .map(
            new MapRequest(
                arguments.word(0),
                arguments.word(1),
                arguments.integer(2),
                flags,
                file == null ? null : backing(file, arguments),
                file != null && OpenFlags.writes(file.flags()),
                arguments.word(5)));
  }

  private static Backing backing(OpenFile file, Arguments arguments) {
    boolean shared = (arguments.integer(3) & MapFlags.MAP_TYPE) != MapFlags.MAP_PRIVATE;
    if (!OpenFlags.reads(file.flags())
        || (shared
            && Bits.any(arguments.integer(2), MapFlags.PROT_WRITE)
            && !OpenFlags.writes(file.flags()))) {
      throw new ErrnoException(Errno.EACCES);
    }
    return file.backing();
  }

  /** munmap(2). */
  static long munmap(Task task, Arguments arguments) {
    map(task).unmap(arguments.word(0), arguments.word(1));
    return 0;
  }

  /** mprotect(2). */
  static long mprotect(Task task, Arguments arguments) {
    map(task).protect(arguments.word(0), arguments.word(1), arguments.integer(2));
    return 0;
  }

  /** mremap(2). */
  static long mremap(Task task, Arguments arguments) {
    return new Remapping(
            arguments.word(0),
            arguments.word(1),
            arguments.word(2),
            arguments.integer(3),
            arguments.word(4))
        .perform(map(task), task.table().lock(), task.transfer(Long.MAX_VALUE));
  }

  /** madvise(2). */
  static long madvise(Task task, Arguments arguments) {
    long address = arguments.word(0);
    long length = arguments.word(1);
    int advice = arguments.integer(2);
    boolean discards = advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED;
    boolean harmless = advice >= 0 && advice < Long.SIZE && Bits.any(HARMLESS_ADVICE, 1L << advice);
    long size = Pages.up(length);
    if (!(discards || harmless)
        || !Pages.isStart(address)
        || (length != 0 && size == 0)
        || address + size < address) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (discards) {
      map(task).discard(address, length);
    }
    map(task).checkMapped(address, length);
    return 0;
  }

  /** msync(2): no effect, because writes are in the file at once. */
  static long msync(Task task, Arguments arguments) {
    int flags = arguments.integer(2);
    if (Bits.any(flags, ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC))
        || (Bits.any(flags, MS_ASYNC) && Bits.any(flags, MS_SYNC))) {
      throw new ErrnoException(Errno.EINVAL);
    }
    map(task).checkMapped(arguments.word(0), arguments.word(1));
    return 0;
  }

  /** mincore(2): all mapped pages count as resident. */
  static long mincore(Task task, Arguments arguments) {
    map(task).checkMapped(arguments.word(0), arguments.word(1));
    long pages = Pages.up(arguments.word(1)) / AddressSpace.PAGE_SIZE;
    if (pages == 0 && arguments.word(1) != 0) { // of almost 2^64 bytes
      throw new ErrnoException(Errno.ENOMEM);
    }
    byte[] resident = new byte[(int) Math.min(pages, 1 << 16)];
    Arrays.fill(resident, (byte) 1);
    for (long done = 0; done < pages; done += resident.length) {
      int count = (int) Math.min(pages - done, resident.length);
      task.memory().write(arguments.word(2) + done, Arrays.copyOf(resident, count));
    }
    return 0;
  }

  /** mlock(2) and munlock: no effect, because a program cannot observe swapping. */
  static long mlock(Task task, Arguments arguments) {
    long address = arguments.word(0);
    long start = Pages.down(address);
    map(task).checkMapped(start, arguments.word(1) + (address - start));
    return 0;
  }

  /** mlock2, mlock(2). */
  static long mlock2(Task task, Arguments arguments) {
    if (Bits.any(arguments.integer(2), ~MLOCK_ONFAULT)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return mlock(task, arguments);
  }

  /** mlockall, mlock(2). */
  static long mlockall(Task task, Arguments arguments) {
    int flags = arguments.integer(0);
    if (Bits.any(flags, ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
        || !Bits.any(flags, MCL_CURRENT | MCL_FUTURE)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return 0;
  }

  /** munlockall, mlock(2). */
  static long munlockall(Task task, Arguments arguments) {
    return 0;
  }

  /** membarrier(2): supports no commands. */
  static long membarrier(Task task, Arguments arguments) {
    if (arguments.integer(0) != MEMBARRIER_CMD_QUERY || arguments.integer(1) != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return 0;
  }
}
