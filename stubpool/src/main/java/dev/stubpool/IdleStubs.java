package dev.stubpool;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Predicate;

/**
 * The idle stubs, each as the handle of its next lease: a lock-free stack. The stub that became
 * idle last is taken first, for its memory map is the most likely to be in the CPU's caches still.
 *
 * <p>The stack is linked through the handles, so that nothing is allocated. One thread pushes and
 * unlinks, the tracer; any thread pops. A handle is pushed once in its life: whoever found it on
 * top, and still does when it is taken, has its true neighbour.
 *
 * <p>A handle may be stale: its stub died, or the tracer claimed it where it lay. So whoever pops
 * one must win its lease before using it.
 *
 * <p>Memory order: {@code below} is written before a push publishes the handle as {@code top}
 * (volatile, CAS), and read after that was read.
 */
final class IdleStubs {
  private static final VarHandle TOP;
  private static final VarHandle BELOW;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      TOP = lookup.findVarHandle(IdleStubs.class, "top", Stub.class);
      BELOW = lookup.findVarHandle(Stub.class, "below", Stub.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private volatile Stub top;

  /** Adds a handle that was never in here. Tracer only. */
  void push(Stub stub) {
    Stub below;
    do {
      below = top;
      stub.below = below;
    } while (!TOP.compareAndSet(this, below, stub));
  }

  /** Takes the handle pushed last, or null. Any thread. */
  Stub pop() {
    Stub stub;
    do {
      stub = top;
      if (stub == null) {
        return null;
      }
    } while (!TOP.compareAndSet(this, stub, stub.below));
    stub.below = null; // a leased handle keeps no other alive
    return stub;
  }

  /**
   * Removes stale handles wherever they lie, in time proportional to the size of the stack. Tracer
   * only; the other handles stay where they are, to be popped meanwhile.
   *
   * <p>A pop at the same moment may leave some stale handles in the stack, or put removed ones back
   * on top, their own links unchanged. Whoever pops them passes over them.
   *
   * @param stale whether a handle's lease can no longer begin; true for ever once it is true
   */
  void unlink(Predicate<Stub> stale) {
    while (!unlinkOnce(stale)) {
      // A pop cut the walk short. Nobody pushes meanwhile: no more often than there are handles.
      Thread.onSpinWait();
    }
  }

  /** Whether it came to the bottom. */
  private boolean unlinkOnce(Predicate<Stub> stale) {
    Stub above = top;
    while (above != null && stale.test(above)) {
      Stub below = (Stub) BELOW.getAcquire(above);
      if (TOP.compareAndSet(this, above, below)) {
        above = below;
      } else {
        above = top;
      }
    }
    while (above != null) {
      Stub stub = (Stub) BELOW.getAcquire(above);
      if (stub == null) {
        return !stale.test(above); // a handle that was popped has no neighbour, and is leased
      }
      if (!stale.test(stub)) {
        above = stub;
      } else if (!BELOW.compareAndSet(above, stub, (Stub) BELOW.getAcquire(stub))) {
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
