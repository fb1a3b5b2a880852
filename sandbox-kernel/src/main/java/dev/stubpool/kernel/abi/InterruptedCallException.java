package dev.stubpool.kernel.abi;

/**
 * A system call was interrupted by a signal before it did anything, signal(7): it is made again, or
 * its result is EINTR.
 */
public final class InterruptedCallException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Restart restart;

  /** When a call is made again after a signal. */
  public enum Restart {
    /** If no handler ran, or that of a signal with SA_RESTART. */
    AS_ACTION_SAYS,
    /** If no handler ran. */
    WITHOUT_HANDLER
  }

  /** Without a stack trace: it is an answer, not an accident. */
  public InterruptedCallException(Restart restart) {
    super(restart.name(), null, false, false);
    this.restart = restart;
  }

  /** When it is made again. */
  public Restart restart() {
    return restart;
  }
}
