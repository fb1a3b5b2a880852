package dev.stubpool.thread;

import dev.stubpool.StubUnresponsiveException;
import dev.stubpool.diagnose.Failures;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A task that a caller submits to a tracer thread and waits for.
 *
 * <p>{@code state} goes from WAITING to RUNNING to DONE, or from WAITING to CANCELLED. It leaves
 * WAITING by CAS, so a request that its caller cancelled never begins; what it refers to may no
 * longer exist.
 *
 * <p>Memory order: the tracer thread writes {@code result} or {@code failure} and then DONE to
 * {@code state} (volatile); the caller reads DONE first.
 */
public abstract class Request implements TracerThread.Task {
  private enum State {
    WAITING,
    RUNNING,
    DONE,
    CANCELLED
  }

  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(Request.class, "state", State.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** How often a parked caller polls the state, in case unparking it failed with an Error. */
  private static final long POLL_NANOS = Duration.ofMillis(100).toNanos();

  private final SpinThenPark caller = new SpinThenPark();
  private long result;
  private @Nullable Throwable failure;
  private volatile State state = State.WAITING;

  /** Performs the task. Called on the tracer thread. */
  protected abstract long perform();

  @Override
  public final void run() {
    if (!STATE.compareAndSet(this, State.WAITING, State.RUNNING)) {
      return;
    }
    try {
      result = perform();
    } catch (RuntimeException | Error e) {
      failure = e; // rethrown to the caller; the tracer thread is not concerned
    }
    finish();
  }

  @Override
  public final void abandon() {
    if (STATE.compareAndSet(this, State.WAITING, State.RUNNING)) {
      try {
        failure = Failures.make().unresponsive("the tracer thread has ended");
      } catch (Error e) {
        failure = e; // no memory for the exception
      }
      finish();
    }
  }

  private void finish() {
    state = State.DONE;
    caller.wake();
  }

  /**
   * Submits this request to {@code thread} and waits until it is performed. If the caller is that
   * thread, it performs the request itself. Interrupts do not end the wait; the interrupt status is
   * set again before the method returns. Once the request has begun, the tracer's deadlines bound
   * the wait.
   *
   * @param atMost how long the tracer thread may take to begin the request
   * @return the result of {@link #perform}
   * @throws StubUnresponsiveException if the tracer thread did not begin it in time; nothing was
   *     done
   */
  public final long submitAndWait(TracerThread thread, Duration atMost) {
    if (thread.isCurrent()) {
      return perform();
    }
    thread.offer(this);
    while (state != State.DONE && caller.spin()) {}
    boolean interrupted = false;
    long deadline = System.nanoTime() + atMost.toNanos();
    while (state != State.DONE) {
      long left = deadline - System.nanoTime();
      if (left > 0) {
        LockSupport.parkNanos(this, left);
      } else if (STATE.compareAndSet(this, State.WAITING, State.CANCELLED)) {
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
        throw Failures.make().unresponsive("the tracer thread did not answer within " + atMost);
      } else {
        LockSupport.parkNanos(this, POLL_NANOS); // begun, so the tracer's deadlines bound it
      }
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure == null) {
      return result;
    }
    failure.addSuppressed(new CallerTrace());
    if (failure instanceof Error error) {
      throw error;
    }
    throw (RuntimeException) failure;
  }

  /** The caller's stack trace: that of the failure itself is the tracer thread's. */
  private static final class CallerTrace extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CallerTrace() {
      super("submitted here");
    }
  }
}
