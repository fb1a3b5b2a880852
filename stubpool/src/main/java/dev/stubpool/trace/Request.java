package dev.stubpool.trace;

import dev.stubpool.StubUnresponsiveException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * Something that a caller wants done on a tracer thread, and waits for.
 *
 * <p>{@code state} goes from WAITING to RUNNING to DONE, or from WAITING to GIVEN_UP, by CAS: a
 * request that its caller gave up is never begun, for what it refers to may be gone by then. Result
 * and failure are written before DONE (volatile) and read after it.
 */
public abstract class Request implements TracerThread.Task {
  private enum State {
    WAITING,
    RUNNING,
    DONE,
    GIVEN_UP
  }

  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(Request.class, "state", State.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** A caller whose waking failed looks by itself this often. */
  private static final long LOOK_NANOS = Duration.ofMillis(100).toNanos();

  private final Waiter caller = new Waiter();
  private long result;
  private Throwable failure;
  private volatile State state = State.WAITING;

  /** Does it, on the tracer thread. */
  protected abstract long perform();

  @Override
  public final void run() {
    if (!STATE.compareAndSet(this, State.WAITING, State.RUNNING)) {
      return;
    }
    try {
      result = perform();
    } catch (RuntimeException | Error e) {
      failure = e; // the caller's: the tracer goes on
    }
    finish();
  }

  @Override
  public final void abandon() {
    if (STATE.compareAndSet(this, State.WAITING, State.RUNNING)) {
      try {
        failure = new StubUnresponsiveException("the tracer thread has ended");
      } catch (Error e) {
        failure = e; // no memory to say it
      }
      finish();
    }
  }

  private void finish() {
    state = State.DONE;
    caller.wake();
  }

  /**
   * Has {@code thread} do this and waits for it; on the thread itself it is done at once. An
   * interrupt does not end the wait, which the tracer's own deadlines bound, and is kept for later.
   *
   * @param atMost how long the tracer may take to begin
   * @throws StubUnresponsiveException if it did not; nothing was done
   */
  public final long on(TracerThread thread, Duration atMost) {
    if (thread.isCurrent()) {
      return perform();
    }
    thread.offer(this);
    while (state != State.DONE && caller.looksAgain()) {}
    boolean interrupted = false;
    long deadline = System.nanoTime() + atMost.toNanos();
    while (state != State.DONE) {
      long left = deadline - System.nanoTime();
      if (left > 0) {
        LockSupport.parkNanos(this, left);
      } else if (STATE.compareAndSet(this, State.WAITING, State.GIVEN_UP)) {
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
        throw new StubUnresponsiveException("the tracer thread did not answer within " + atMost);
      } else {
        LockSupport.parkNanos(this, LOOK_NANOS); // begun, and bounded by the tracer
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

  /** Where the caller was: the failure's own trace is the tracer's. */
  private static final class CallerTrace extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CallerTrace() {
      super("asked for here");
    }
  }
}
