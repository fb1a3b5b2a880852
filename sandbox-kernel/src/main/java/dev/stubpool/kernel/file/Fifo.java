package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import java.util.function.Supplier;

/** What is behind a name that mkfifo(3) made: one pipe for all who have it open, fifo(7). */
public final class Fifo {
  private final Pipe pipe;

  Fifo(Pipe pipe) {
    this.pipe = pipe;
  }

  /**
   * Opens an end at once. Who opens without O_NONBLOCK waits until {@link OpenFile#isConnected},
   * and releases the end if it does not come to that.
   *
   * @param path what the guest calls it
   * @param flags of open(2)
   * @param status of the name's node
   * @throws ErrnoException ENXIO to write with O_NONBLOCK if nobody reads
   */
  public OpenFile open(String path, int flags, Supplier<FileStatus> status) {
    boolean onlyWrites = (flags & OpenFlags.O_ACCMODE) == OpenFlags.O_WRONLY;
    if (onlyWrites && Bits.any(flags, OpenFlags.O_NONBLOCK) && !pipe.hasReaders()) {
      throw new ErrnoException(Errno.ENXIO);
    }
    return new PipeEnd(path, pipe, flags, status);
  }
}
