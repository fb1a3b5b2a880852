package dev.stubpool.pool;

import dev.stubpool.diagnose.Failures;
import dev.stubpool.thread.SpinThenPark;
import dev.stubpool.thread.TracerThread;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The request of a thread that waits for a stub.
 *
 * <p>{@code outcome} changes once, by CAS: the tracer thread sets it to a {@link Lease} or an
 * exception, or the waiting thread sets it to {@link #CANCELLED} after a timeout or an interrupt.
 */
final class AcquireRequest implements TracerThread.Task {
  /** How a wait ended. */
  enum End {
    DONE,
    INTERRUPTED,
    TIMED_OUT
  }

  private static final Object CANCELLED = new Object();
  private static final VarHandle OUTCOME;

  static {
    try {
      OUTCOME = MethodHandles.lookup().findVarHandle(AcquireRequest.class, "outcome", Object.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final SpinThenPark waiter = new SpinThenPark();
  private final AcquireLine line;
  private final String poolName;
  private volatile @Nullable Object outcome;

  AcquireRequest(AcquireLine line, String poolName) {
    this.line = line;
    this.poolName = poolName;
  }

  // ---- the tracer thread ----

  @Override
  public void run() {
    line.add(this);
  }

  @Override
  public void abandon() {
    complete(Failures.make().poolClosed(poolName));
  }

  /** Sets the outcome and wakes the waiting thread; returns false if the request is cancelled. */
  boolean complete(Object stubOrFailure) {
    if (!OUTCOME.compareAndSet(this, null, stubOrFailure)) {
      return false;
    }
    line.served();
    waiter.wake();
    return true;
  }

  boolean isCancelled() {
    return outcome == CANCELLED;
  }

  // ---- the waiting thread ----

  /** Waits for the outcome. After an interrupt or the timeout the request is cancelled. */
  End await(Duration timeout) {
    long start = System.nanoTime();
    long limit = Math.max(0, TimeUnit.NANOSECONDS.convert(timeout)); // 292 years at most
    boolean parks = false;
    while (outcome == null) {
      long left = limit - (System.nanoTime() - start);
      boolean interrupted = Thread.currentThread().isInterrupted();
      if (interrupted || left <= 0) {
        // If the CAS fails, there is an outcome, which must be returned: it may be a leased stub.
        if (cancel()) {
          return interrupted ? End.INTERRUPTED : End.TIMED_OUT;
        }
      } else if (parks) {
        LockSupport.parkNanos(line, left);
      } else {
        parks = !waiter.spin();
      }
    }
    return End.DONE;
  }

  /** Cancels the request; returns false if it has an outcome, or is cancelled already. */
  boolean cancel() {
    return OUTCOME.compareAndSet(this, null, CANCELLED);
  }

  /** The stub that is the outcome; throws the failure if that is the outcome. */
  Lease result() {
    if (outcome instanceof Lease stub) {
      return stub;
    }
    throw (RuntimeException) outcome;
  }
}
