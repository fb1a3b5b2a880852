package dev.stubpool.pool;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A lock-free stack of the idle stubs, each represented by the handle of its next lease. The stub
 * that became idle last is leased first, since its memory map is the most likely to be in the CPU's
 * caches. Which idle stub is discarded is {@link Eviction}'s decision.
 *
 * <p>The stack is linked through the handles, so nothing is allocated. Only the tracer thread
 * pushes and unlinks; any thread pops. There is no ABA problem: a handle is pushed only once, so
 * {@code top} is never the same handle again after it was popped.
 *
 * <p>A handle may be stale: its stub died, or the tracer claimed the stub without popping its
 * handle. So a thread that pops a handle must begin its lease by CAS before using it.
 *
 * <p>Memory order: {@code push} writes {@code below} before the CAS that publishes the handle as
 * {@code top}; {@code pop} and {@code unlink} read {@code top} before they read {@code below}.
 */
final class IdleStubs {
  private static final VarHandle TOP;
  private static final VarHandle BELOW;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      TOP = lookup.findVarHandle(IdleStubs.class, "top", Lease.class);
      BELOW = lookup.findVarHandle(Lease.class, "below", Lease.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private volatile @Nullable Lease top;

  /** Pushes a handle that was never pushed before. Tracer thread only. */
  void push(Lease stub) {
    Lease below;
    do {
      below = top;
      stub.below = below;
    } while (!TOP.compareAndSet(this, below, stub));
  }

  /** Pops the handle pushed last; null if there is none. May be called from any thread. */
  @Nullable Lease pop() {
    Lease stub;
    do {
      stub = top;
      if (stub == null) {
        return null;
      }
    } while (!TOP.compareAndSet(this, stub, stub.below));
    stub.below = null; // so that a leased handle keeps no other reachable
    return stub;
  }

  /**
   * Removes all stale handles from the stack, in time proportional to its size. Tracer thread only.
   * Other threads may pop meanwhile.
   *
   * <p>A concurrent pop may leave some stale handles in the stack, or put removed ones back on top
   * with their links unchanged. That is harmless, since their leases cannot begin.
   *
   * @param stale whether a handle's lease can no longer begin; must stay true once it is true
   */
  void unlink(Predicate<Lease> stale) {
    while (!unlinkOnce(stale)) {
      // A pop interrupted the walk. This ends, since no handle is pushed meanwhile.
      Thread.onSpinWait();
    }
  }

  /** Walks down the stack once; returns whether the walk reached the bottom. */
  private boolean unlinkOnce(Predicate<Lease> stale) {
    Lease above = top;
    while (above != null && stale.test(above)) {
      Lease below = (Lease) BELOW.getAcquire(above);
      if (TOP.compareAndSet(this, above, below)) {
        above = below;
      } else {
        above = top;
      }
    }
    while (above != null) {
      Lease stub = (Lease) BELOW.getAcquire(above);
      if (stub == null) {
        // The bottom, unless the handle was popped meanwhile. If its lease has not begun yet, the
        // handles below it are left to the next call.
        return !stale.test(above);
      }
      if (!stale.test(stub)) {
        above = stub;
      } else if (!BELOW.compareAndSet(above, stub, (Lease) BELOW.getAcquire(stub))) {
        return false; // above was popped
      }
    }
    return true;
  }

  /** Removes all handles. */
  void clear() {
    top = null;
  }
}
