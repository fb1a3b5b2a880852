package dev.stubpool.kernel.sync;

/** Who is told that something may have changed. */
@FunctionalInterface
public interface Waiter {
  /** Called with the kernel's lock held; must not wait. */
  void wake();
}
