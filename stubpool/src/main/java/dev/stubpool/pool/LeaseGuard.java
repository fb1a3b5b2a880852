package dev.stubpool.pool;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import org.jspecify.annotations.Nullable;

/**
 * Detects that a handle was garbage collected before its lease was closed, so that the pool can
 * take the stub back. Made together with the handle, on the tracer thread, so that leasing does not
 * allocate.
 */
final class LeaseGuard extends PhantomReference<Lease> {
  /** The queue of the guards whose handles were collected. */
  static final class LostLeases extends ReferenceQueue<Lease> {
    @Override
    public @Nullable LeaseGuard poll() {
      return (LeaseGuard) super.poll();
    }
  }

  final StubProcess process;
  final long generation;

  /** Where the lease was acquired; null unless the pool records that (leakTraces). */
  private volatile @Nullable Throwable acquired;

  LeaseGuard(Lease stub, LostLeases lost) {
    super(stub, lost);
    this.process = stub.process();
    this.generation = stub.generation();
  }

  /** Records the stack trace of the calling thread, which acquires the lease. */
  void acquiredHere() {
    acquired = new Throwable("acquired here, by " + Thread.currentThread());
  }

  /** Where the lease was acquired; null if that was not recorded. */
  @Nullable Throwable acquired() {
    return acquired;
  }
}
