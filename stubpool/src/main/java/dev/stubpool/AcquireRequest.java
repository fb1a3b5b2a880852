package dev.stubpool;

import dev.stubpool.trace.TracerThread;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that waits for a stub. {@code outcome} goes from null to a {@link Stub}, an exception or
 * {@link GivenUp} by one CAS: the tracer's, or the waiting thread's own when it gives up.
 */
final class AcquireRequest implements TracerThread.Task {
  private enum GivenUp {
    CANCELLED
  }

  private static final VarHandle OUTCOME;

  static {
    try {
      OUTCOME = MethodHandles.lookup().findVarHandle(AcquireRequest.class, "outcome", Object.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Thread waiter = Thread.currentThread();
  private final ForgeWork work;
  private volatile Object outcome;

  AcquireRequest(ForgeWork work) {
    this.work = work;
  }

  @Override
  public void run() {
    work.queueUp(this);
  }

  @Override
  public void abandon() {
    complete(new StubPoolClosedException(work.poolName()));
  }

  /** Gives up; false if there is an outcome already, which the caller must then take. */
  boolean cancel() {
    return OUTCOME.compareAndSet(this, null, GivenUp.CANCELLED);
  }

  boolean isCancelled() {
    return outcome instanceof GivenUp;
  }

  /** Ends the wait; false if the waiter gave up. */
  boolean complete(Object stubOrFailure) {
    if (!OUTCOME.compareAndSet(this, null, stubOrFailure)) {
      return false;
    }
    LockSupport.unpark(waiter);
    return true;
  }

  boolean isDone() {
    return outcome != null;
  }

  /** The stub, or throws the failure. */
  Stub take() {
    if (outcome instanceof Stub stub) {
      return stub;
    }
    throw (RuntimeException) outcome;
  }
}
