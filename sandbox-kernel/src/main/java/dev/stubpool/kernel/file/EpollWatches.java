package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;

/**
 * Counts the items of all epoll instances of a sandbox, as for /proc/sys/fs/epoll/max_user_watches.
 */
final class EpollWatches {
  private static final int MOST = 1 << 15;

  private int count;

  /**
   * Counts one more item.
   *
   * @throws ErrnoException ENOSPC if there are too many
   */
  void add() {
    if (count == MOST) {
      throw new ErrnoException(Errno.ENOSPC);
    }
    count++;
  }

  void remove() {
    count--;
  }
}
