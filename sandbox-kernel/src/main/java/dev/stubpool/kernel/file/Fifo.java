package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import java.util.function.Supplier;

/** A FIFO, fifo(7): one pipe for all that have it open. */
public final class Fifo {
  private final Pipe pipe;

  Fifo(Pipe pipe) {
    this.pipe = pipe;
  }

  /**
   * Opens an end without waiting. A caller without O_NONBLOCK waits until {@link
   * OpenFile#isConnected}, and releases the end if the wait fails.
   *
   * @param path its path in the guest
   * @param flags the flags of open(2)
   * @param status the status of the FIFO's node
   * @throws ErrnoException ENXIO if it is opened for writing with O_NONBLOCK and has no reader
   */
  public OpenFile open(String path, int flags, Supplier<FileStatus> status) {
    boolean onlyWrites = (flags & OpenFlags.O_ACCMODE) == OpenFlags.O_WRONLY;
    if (onlyWrites && Bits.any(flags, OpenFlags.O_NONBLOCK) && !pipe.hasReaders()) {
      throw new ErrnoException(Errno.ENXIO);
    }
    return new PipeEnd(path, pipe, flags, status);
  }
}
