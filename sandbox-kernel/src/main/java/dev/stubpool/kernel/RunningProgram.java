package dev.stubpool.kernel;

import dev.stubpool.kernel.process.ProcessTable;

/** A program that runs: for whoever has it run, from any thread. */
public final class RunningProgram {
  private final ProcessTable table;

  RunningProgram(ProcessTable table) {
    this.table = table;
  }

  /**
   * Sends a signal to the program's first process and all others of its group, as a terminal does.
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
