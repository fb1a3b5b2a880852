package dev.stubpool.trace;

import dev.stubpool.StubUnresponsiveException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * Something that a caller wants done on a tracer thread, and waits for. The result is written
 * before {@code done} (volatile) and read after it.
 */
public abstract class Request implements TracerThread.Task {
  private final Thread caller = Thread.currentThread();
  private long result;
  private Throwable failure;
  private volatile boolean done;

  /** Does it, on the tracer thread. */
  protected abstract long perform();

  @Override
  public final void run() {
    try {
      result = perform();
    } catch (RuntimeException | Error e) {
      failure = e; // the caller's: the tracer goes on
    } finally {
      done = true;
      LockSupport.unpark(caller);
    }
  }

  @Override
  public final void abandon() {
    if (!done) {
      failure = new StubUnresponsiveException("the tracer thread has ended");
      done = true;
      LockSupport.unpark(caller);
    }
  }

  /**
   * Has {@code thread} do this and waits for it; on the thread itself it is done at once. An
   * interrupt does not end the wait, which the tracer's own deadlines bound, and is kept for later.
   *
   * @param atMost when to give up on the tracer itself
   * @throws StubUnresponsiveException if the tracer did not answer in that time
   */
  public final long on(TracerThread thread, Duration atMost) {
    if (thread.isCurrent()) {
      return perform();
    }
    thread.offer(this);
    long deadline = System.nanoTime() + atMost.toNanos();
    boolean interrupted = false;
    while (!done) {
      LockSupport.parkNanos(this, deadline - System.nanoTime());
      interrupted |= Thread.interrupted();
      if (!done && System.nanoTime() - deadline > 0) {
        throw new StubUnresponsiveException("the tracer thread did not answer within " + atMost);
      }
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
