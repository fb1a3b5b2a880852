package dev.stubpool.kernel.abi;

/**
 * Thrown if a signal interrupts a system call before it had an effect, signal(7): the call is
 * restarted, or its result is EINTR.
 */
public final class InterruptedCallException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Restart restart;

  /** When a call is restarted after a signal. */
  public enum Restart {
    /** If no handler ran, or the handler has SA_RESTART. */
    AS_ACTION_SAYS,
    /** If no handler ran. */
    WITHOUT_HANDLER
  }

  /** Creates an exception without a stack trace, because it is an ordinary result. */
  public InterruptedCallException(Restart restart) {
    super(restart.name(), null, false, false);
    this.restart = restart;
  }

  /** When the call is restarted. */
  public Restart restart() {
    return restart;
  }
}
