package dev.stubpool.kernel;

import java.time.Duration;
import java.util.List;

/**
 * What a program did, from its beginning to its end.
 *
 * @param calls its system calls, those that took longest first
 * @param otherTraps faults, interrupts and breakpoints
 * @param processes how many it had, the first one included
 * @param stubs how many were leased for it: one for each process made by fork(2), and for each
 *     program executed
 * @param time how long it ran
 */
public record Statistics(
    List<Call> calls, long otherTraps, long processes, long stubs, Duration time) {
  /** Keeps a copy. */
  public Statistics {
    calls = List.copyOf(calls);
  }

  /**
   * A system call.
   *
   * @param count how often it was made
   * @param errors how often it failed
   * @param time how long all of them took, from trap to answer, waits included
   */
  public record Call(String name, long count, long errors, Duration time) {}
}
