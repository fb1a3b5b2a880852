package dev.stubpool;

import dev.stubpool.trace.TracerThread;
import dev.stubpool.trace.Waiter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that waits for a stub. {@code outcome} goes from null to a {@link Stub}, an exception or
 * {@link #GIVEN_UP} by one CAS: the tracer's, or the waiting thread's own when it gives up.
 */
final class AcquireRequest implements TracerThread.Task {
  /** How a wait ended. */
  enum End {
    DONE,
    INTERRUPTED,
    TIMED_OUT
  }

  private static final Object GIVEN_UP = new Object();
  private static final VarHandle OUTCOME;

  static {
    try {
      OUTCOME = MethodHandles.lookup().findVarHandle(AcquireRequest.class, "outcome", Object.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Waiter waiter = new Waiter();
  private final AcquireLine line;
  private final String poolName;
  private volatile Object outcome;

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
    complete(new StubPoolClosedException(poolName));
  }

  /** Ends the wait; false if the waiter gave up. */
  boolean complete(Object stubOrFailure) {
    if (!OUTCOME.compareAndSet(this, null, stubOrFailure)) {
      return false;
    }
    line.served();
    waiter.wake();
    return true;
  }

  boolean isGivenUp() {
    return outcome == GIVEN_UP;
  }

  // ---- the waiting thread ----

  /** Waits for the outcome; after an interrupt or the timeout there will be none. */
  End await(Duration timeout) {
    long start = System.nanoTime();
    long limit = Math.max(0, TimeUnit.NANOSECONDS.convert(timeout)); // 292 years at most
    boolean parks = false;
    while (outcome == null) {
      long left = limit - (System.nanoTime() - start);
      boolean interrupted = Thread.currentThread().isInterrupted();
      if (interrupted || left <= 0) {
        // If it fails there is an outcome, which must be taken: it may be a stub.
        if (giveUp()) {
          return interrupted ? End.INTERRUPTED : End.TIMED_OUT;
        }
      } else if (parks) {
        LockSupport.parkNanos(line, left);
      } else {
        parks = !waiter.looksAgain();
      }
    }
    return End.DONE;
  }

  boolean giveUp() {
    return OUTCOME.compareAndSet(this, null, GIVEN_UP);
  }

  /** The stub, or throws the failure. */
  Stub take() {
    if (outcome instanceof Stub stub) {
      return stub;
    }
    throw (RuntimeException) outcome;
  }
}
