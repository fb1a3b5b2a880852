package dev.stubpool;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;

/**
 * Notices that a handle was lost: collected as garbage before its lease was closed. Made with the
 * handle, on the tracer thread, so that a lease costs its holder nothing.
 */
final class LeaseGuard extends PhantomReference<Stub> {
  /** Where guards of lost handles arrive. */
  static final class Lost extends ReferenceQueue<Stub> {
    LeaseGuard next() {
      return (LeaseGuard) poll();
    }
  }

  final StubProcess process;
  final long generation;

  /** Where the lease was acquired, if the pool is to know. */
  private volatile Throwable acquired;

  LeaseGuard(Stub stub, Lost lost) {
    super(stub, lost);
    this.process = stub.process();
    this.generation = stub.generation();
  }

  void acquiredHere() {
    acquired = new Throwable("acquired here, by " + Thread.currentThread());
  }

  /** Null if that was not recorded. */
  Throwable acquired() {
    return acquired;
  }
}
