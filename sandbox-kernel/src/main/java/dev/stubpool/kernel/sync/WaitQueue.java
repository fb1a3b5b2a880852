package dev.stubpool.kernel.sync;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Those who wait for one thing to change. All of it happens under the kernel's lock; who is woken
 * looks for himself whether what he waits for has come.
 */
public final class WaitQueue {
  private final Set<Waiter> waiters = new LinkedHashSet<>();

  /** Enters; once, whoever does it twice. */
  public void add(Waiter waiter) {
    waiters.add(waiter);
  }

  /** Leaves. */
  public void remove(Waiter waiter) {
    waiters.remove(waiter);
  }

  /** Tells all. */
  public void wakeAll() {
    if (!waiters.isEmpty()) {
      List.copyOf(waiters).forEach(Waiter::wake); // they may leave meanwhile
    }
  }
}
