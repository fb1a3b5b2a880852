package dev.stubpool.kernel;

import dev.stubpool.kernel.process.ProcessTable;

/** A handle of a running program, to send it signals. Thread-safe. */
public final class RunningProgram {
  private final ProcessTable table;

  RunningProgram(ProcessTable table) {
    this.table = table;
  }

  /**
   * Sends a signal to the process group of the program's first process, as a terminal does.
   *
   * @param signal its number, 1 to 64
   */
  public void signal(int signal) {
    table.lock().with(() -> table.signalForeground(signal));
  }

  /** Kills all of its processes. */
  public void kill() {
    table.lock().with(table::killAll);
  }
}
