package dev.stubpool.kernel.sync;

/** A waiter in a {@link WaitQueue}. */
@FunctionalInterface
public interface Waiter {
  /** Called when the state may have changed, with the kernel's lock held; must not block. */
  void wake();
}
