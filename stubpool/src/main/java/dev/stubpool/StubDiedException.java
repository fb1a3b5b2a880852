package dev.stubpool;

/** The stub's process is dead. Other stubs are not affected; the pool replaces it. */
public final class StubDiedException extends StubPoolException {
  private static final long serialVersionUID = 1L;

  private final int pid;

  /**
   * Makes one.
   *
   * @param pid the process
   * @param how such as "killed by SIGKILL"
   * @param step what was being done
   */
  public StubDiedException(int pid, String how, String step) {
    super("stub " + pid + " is dead (" + how + ") while " + step);
    this.pid = pid;
  }

  /** The process that died. Its number may be another process's by now. */
  public int pid() {
    return pid;
  }
}
