package dev.stubpool.kernel.sync;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * The lock that guards all of a kernel's state. A task's thread holds it while it serves a trap. It
 * releases the lock while its guest runs, while it waits, and during long operations of the host.
 */
public final class KernelLock {
  /** The length of a pause: long enough for another thread to take the lock. */
  private static final long PAUSE_NANOS = 50_000;

  private final ReentrantLock lock = new ReentrantLock();

  /** Takes the lock. */
  public void lock() {
    lock.lock();
  }

  /** Releases the lock. */
  public void unlock() {
    lock.unlock();
  }

  /** Whether the current thread holds the lock. */
  public boolean isHeld() {
    return lock.isHeldByCurrentThread();
  }

  /**
   * Runs an action without the lock, then takes the lock again. State may have changed meanwhile.
   */
  public <T> T released(Supplier<T> work) {
    lock.unlock();
    try {
      return work.get();
    } finally {
      lock.lock();
    }
  }

  /** Releases the lock for a moment if another thread waits for it. */
  public void pause() {
    if (lock.hasQueuedThreads()) {
      lock.unlock();
      try {
        LockSupport.parkNanos(PAUSE_NANOS);
      } finally {
        lock.lock();
      }
    }
  }

  /** Runs an action with the lock, in a thread that does not hold it. */
  public void with(Runnable work) {
    lock.lock();
    try {
      work.run();
    } finally {
      lock.unlock();
    }
  }

  Condition condition() {
    return lock.newCondition();
  }
}
