package dev.stubpool.kernel;

import java.time.Duration;
import java.util.List;

/**
 * Statistics of a program's run.
 *
 * @param calls the system calls, in descending order of total time
 * @param otherTraps the number of faults, interrupts and breakpoints
 * @param processes the number of processes, the first one included
 * @param stubs the number of stubs leased: one for each fork(2) and each program executed
 * @param time the duration of the run
 */
public record Statistics(
    List<Call> calls, long otherTraps, long processes, long stubs, Duration time) {
  /** Copies the list. */
  public Statistics {
    calls = List.copyOf(calls);
  }

  /**
   * Statistics of one system call.
   *
   * @param name its name
   * @param count the number of calls
   * @param errors the number of calls that failed
   * @param time the total time from trap to answer, waits included
   */
  public record Call(String name, long count, long errors, Duration time) {}
}
