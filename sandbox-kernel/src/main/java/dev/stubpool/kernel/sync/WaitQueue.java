package dev.stubpool.kernel.sync;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The waiters for a change of some state. All methods are called under the kernel's lock. A woken
 * waiter checks its condition itself.
 */
public final class WaitQueue {
  private final Set<Waiter> waiters = new LinkedHashSet<>();

  /** Adds a waiter; adding it twice has no effect. */
  public void add(Waiter waiter) {
    waiters.add(waiter);
  }

  /** Removes a waiter. */
  public void remove(Waiter waiter) {
    waiters.remove(waiter);
  }

  /** Wakes all waiters. */
  public void wakeAll() {
    if (!waiters.isEmpty()) {
      List.copyOf(waiters).forEach(Waiter::wake); // waiters may remove themselves meanwhile
    }
  }
}
