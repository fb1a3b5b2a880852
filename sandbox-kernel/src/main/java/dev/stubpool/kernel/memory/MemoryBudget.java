package dev.stubpool.kernel.memory;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;

/**
 * The memory limit of all processes of a sandbox: private memory that is or was writable, and
 * shared memory. Address space that is only reserved is not charged.
 */
public final class MemoryBudget {
  /**
   * The limit for shared memory objects, each of which needs a descriptor and a mapping in this
   * JVM.
   */
  private static final int MOST_SHARED = 1024;

  private final long most;
  private long used;
  private int shared;

  /** Creates a budget in bytes. */
  public MemoryBudget(long most) {
    this.most = most;
  }

  /**
   * Charges bytes; a negative number releases them.
   *
   * @throws ErrnoException ENOMEM if there is not enough left
   */
  public void charge(long bytes) {
    if (bytes > most - used) {
      throw new ErrnoException(Errno.ENOMEM);
    }
    used += bytes;
  }

  /** Releases charged bytes. */
  public void uncharge(long bytes) {
    used -= bytes;
  }

  /**
   * Charges bytes for a shared memory object.
   *
   * @throws ErrnoException ENOMEM if there is not enough left, or there are too many objects
   */
  void chargeShared(long bytes) {
    if (shared >= MOST_SHARED) {
      throw new ErrnoException(Errno.ENOMEM);
    }
    charge(bytes);
    shared++;
  }

  /** Releases a shared memory object's charge. */
  void unchargeShared(long bytes) {
    uncharge(bytes);
    shared--;
  }

  /** The charged bytes. */
  public long used() {
    return used;
  }

  /** The limit in bytes. */
  public long most() {
    return most;
  }
}
