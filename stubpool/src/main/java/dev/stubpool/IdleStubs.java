package dev.stubpool;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The idle stubs, each as the handle of its next lease: a lock-free stack. Who was used last is
 * taken first, for its memory map is the most likely to be in the CPU's caches still, and what
 * nobody needs sinks to the bottom.
 *
 * <p>The stack is linked through the handles, so that nothing is allocated. A handle is pushed once
 * in its life: whoever found it on top, and still does when it is taken, has its true neighbour.
 *
 * <p>Memory order: {@code below} is written before a push publishes the handle as {@code top}
 * (volatile, CAS), and read after that was read.
 */
final class IdleStubs {
  private static final VarHandle TOP;

  static {
    try {
      TOP = MethodHandles.lookup().findVarHandle(IdleStubs.class, "top", Stub.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final AtomicInteger size = new AtomicInteger();
  private volatile Stub top;

  /** Adds a handle that was never in here. */
  void push(Stub stub) {
    size.incrementAndGet(); // first: never fewer than there are
    Stub below;
    do {
      below = top;
      stub.below = below;
    } while (!TOP.compareAndSet(this, below, stub));
  }

  /** Takes the handle pushed last, or null. */
  Stub pop() {
    Stub stub;
    do {
      stub = top;
      if (stub == null) {
        return null;
      }
    } while (!TOP.compareAndSet(this, stub, stub.below));
    stub.below = null;
    size.decrementAndGet();
    return stub;
  }

  /** Takes all handles: the one pushed last, and the others linked below it. */
  Stub popAll() {
    Stub all = (Stub) TOP.getAndSet(this, null);
    for (Stub stub = all; stub != null; stub = stub.below) {
      size.decrementAndGet();
    }
    return all;
  }

  /** How many there are; while one is pushed or taken, that is counted. */
  int size() {
    return size.get();
  }
}
