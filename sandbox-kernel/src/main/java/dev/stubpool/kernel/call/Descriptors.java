package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.process.Task;

/** Looks up descriptors for system calls. */
final class Descriptors {
  private Descriptors() {}

  /** The file of a descriptor, also if it was opened with O_PATH. */
  static OpenFile any(Task task, int number) {
    return task.process().descriptors().get(number);
  }

  /**
   * The file of a descriptor that was not opened with O_PATH.
   *
   * @throws ErrnoException EBADF, also if it was opened with O_PATH
   */
  static OpenFile opened(Task task, int number) {
    OpenFile file = any(task, number);
    if (Bits.any(file.flags(), OpenFlags.O_PATH)) {
      throw new ErrnoException(Errno.EBADF);
    }
    return file;
  }
}
