package dev.stubpool.kernel.memory;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;

/**
 * How much memory all processes of a sandbox may have together: private memory that can be written,
 * or once could, and memory that they share. Addresses that are only reserved cost nothing.
 */
public final class MemoryBudget {
  /** Each needs a descriptor and a mapping of this JVM's own. */
  private static final int MOST_SHARED = 1024;

  private final long most;
  private long used;
  private int shared;

  /** A budget in bytes. */
  public MemoryBudget(long most) {
    this.most = most;
  }

  /**
   * Takes some of it; gives some back, if negative.
   *
   * @throws ErrnoException ENOMEM if there is not so much left
   */
  public void charge(long bytes) {
    if (bytes > most - used) {
      throw new ErrnoException(Errno.ENOMEM);
    }
    used += bytes;
  }

  /** Gives back what was taken. */
  public void uncharge(long bytes) {
    used -= bytes;
  }

  /**
   * Takes some of it for memory that is shared.
   *
   * @throws ErrnoException ENOMEM if there is not so much left, or too many have some
   */
  void chargeShared(long bytes) {
    if (shared >= MOST_SHARED) {
      throw new ErrnoException(Errno.ENOMEM);
    }
    charge(bytes);
    shared++;
  }

  /** Gives that back. */
  void unchargeShared(long bytes) {
    uncharge(bytes);
    shared--;
  }

  /** How much is taken. */
  public long used() {
    return used;
  }

  /** All of it. */
  public long most() {
    return most;
  }
}
