package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.MapFlags;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.memory.Pages;
import dev.stubpool.kernel.task.Task;
import java.nio.file.Path;

/** Calls that change what is mapped. */
final class MemoryCalls {
  private static final int MADV_DONTNEED = 4;

  private MemoryCalls() {}

  /** brk, brk(2). */
  static long brk(Task task, Arguments arguments) {
    return task.process().map().brk(arguments.word(0));
  }

  /** mmap(2). */
  static long mmap(Task task, Arguments arguments) {
    int protection = arguments.integer(2);
    int flags = arguments.integer(3);
    Path file = Bits.any(flags, MapFlags.MAP_ANONYMOUS) ? null : mappable(task, arguments);
    return task.process()
        .map()
        .map(
            arguments.word(0),
            arguments.word(1),
            protection,
            flags,
            file,
            file == null ? 0 : arguments.word(5));
  }

  private static Path mappable(Task task, Arguments arguments) {
    OpenFile file = task.process().descriptors().get(arguments.integer(4));
    boolean shared = (arguments.integer(3) & MapFlags.MAP_TYPE) != MapFlags.MAP_PRIVATE;
    if (!OpenFlags.reads(file.flags())
        || (shared
            && Bits.any(arguments.integer(2), MapFlags.PROT_WRITE)
            && !OpenFlags.writes(file.flags()))) {
      throw new ErrnoException(Errno.EACCES);
    }
    return file.mappable();
  }

  /** munmap(2). */
  static long munmap(Task task, Arguments arguments) {
    task.process().map().unmap(arguments.word(0), arguments.word(1));
    return 0;
  }

  /** mprotect(2). */
  static long mprotect(Task task, Arguments arguments) {
    task.process().map().protect(arguments.word(0), arguments.word(1), arguments.integer(2));
    return 0;
  }

  /**
   * madvise(2). Advice may be ignored, but for MADV_DONTNEED, after which pages read as zeros: that
   * is not done, and said.
   */
  static long madvise(Task task, Arguments arguments) {
    if (!Pages.isStart(arguments.word(0)) || arguments.integer(2) == MADV_DONTNEED) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return 0;
  }
}
