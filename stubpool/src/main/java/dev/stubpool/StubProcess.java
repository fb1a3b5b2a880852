package dev.stubpool;

import dev.stubpool.trace.Tracee;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A stub's process as the pool knows it, over all its leases.
 *
 * <p>{@code lease} is the handle that may use it, or null; who changes it from a handle to null
 * (CAS) gives the process back, and nobody else does. All other changes are made by the pool's
 * tracer thread, or by the one thread that took the process from the idle queue.
 */
final class StubProcess {
  private static final VarHandle LEASE;

  static {
    try {
      LEASE = MethodHandles.lookup().findVarHandle(StubProcess.class, "lease", Stub.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final Tracee tracee;
  private volatile Stub lease;
  private volatile StubState state = StubState.FORGING;

  /** Whether anything may be mapped besides the image; the tracer's alone. */
  private boolean mapped;

  StubProcess(Tracee tracee) {
    this.tracee = tracee;
  }

  StubState state() {
    return tracee.death() != null ? StubState.DEAD : state;
  }

  void state(StubState value) {
    state = value;
  }

  /** Gives an idle process, taken by the caller alone, to a new handle. */
  Stub lease(StubPool pool) {
    Stub handle = new Stub(pool, this);
    state = StubState.LEASED;
    lease = handle;
    return handle;
  }

  boolean isLeasedTo(Stub handle) {
    return lease == handle;
  }

  /** Ends a lease; whether it was this caller who did. */
  boolean endLease(Stub handle) {
    return LEASE.compareAndSet(this, handle, null);
  }

  boolean mapped() {
    return mapped;
  }

  void mapped(boolean value) {
    mapped = value;
  }
}
