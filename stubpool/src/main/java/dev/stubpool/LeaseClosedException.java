package dev.stubpool;

/**
 * Thrown when a {@link Stub} is used after its lease has ended. The process may be leased to
 * another holder by now; nothing was done to it.
 */
public final class LeaseClosedException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  private final int pid;

  LeaseClosedException(int pid) {
    super("this lease of stub " + pid + " is closed");
    this.pid = pid;
  }

  /** {@return the pid of the process that was leased} */
  public int pid() {
    return pid;
  }
}
