package dev.stubpool;

/** Thrown when the stub's process is dead. Other stubs are not affected; the pool replaces it. */
public final class StubDiedException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  private final int pid;

  StubDiedException(int pid, String how, String step) {
    super("stub " + pid + " is dead (" + how + ") while " + step);
    this.pid = pid;
  }

  /** {@return the pid of the process that died, which may be reused for another process by now} */
  public int pid() {
    return pid;
  }
}
