package dev.stubpool.kernel.sync;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * The lock that all of a kernel's state is under. A thread of a guest's holds it while it serves a
 * trap, but for the times in which its guest runs, it waits, or the host is asked for something
 * that may take long.
 */
public final class KernelLock {
  /** Long enough for somebody else to take it. */
  private static final long PAUSE_NANOS = 50_000;

  private final ReentrantLock lock = new ReentrantLock();

  /** Takes it. */
  public void lock() {
    lock.lock();
  }

  /** Gives it up. */
  public void unlock() {
    lock.unlock();
  }

  /** Whether the calling thread has it. */
  public boolean isHeld() {
    return lock.isHeldByCurrentThread();
  }

  /** Does something without it, and takes it again. What was known before may be wrong then. */
  public <T> T released(Supplier<T> work) {
    lock.unlock();
    try {
      return work.get();
    } finally {
      lock.lock();
    }
  }

  /** Gives it up for a moment if somebody waits for it. */
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

  /** Does something with it, in a thread that has it not. */
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
