package dev.stubpool.nativestubs.proc;

import dev.stubpool.nativestubs.calls.Abi;
import java.time.Duration;

/**
 * A snapshot of a process from {@code /proc/PID/stat} and {@code /proc/PID/statm},
 * proc_pid_stat(5).
 *
 * @param pid its pid, which may be reused later
 * @param comm its name, at most 15 characters
 * @param state one letter, such as {@code t} for stopped by its tracer
 * @param parent the pid of its parent
 * @param cpuTicks CPU time used, in clock ticks
 * @param threads the number of its threads
 * @param startTime its start in clock ticks since boot; distinguishes processes with the same pid
 * @param residentPages resident memory in pages
 */
public record ProcessStatus(
    int pid,
    String comm,
    char state,
    int parent,
    long cpuTicks,
    int threads,
    long startTime,
    long residentPages) {
  /** The name of all stub processes. */
  public static final String STUB_COMM = "stubpool-stub";

  private static final int STATE = 0;
  private static final int PARENT = 1;
  private static final int USER_TICKS = 11;
  private static final int SYSTEM_TICKS = 12;
  private static final int THREADS = 17;
  private static final int START_TIME = 19;

  /**
   * The index in statm, which is exact; the field in stat may be 0 for a process as small as a
   * stub.
   */
  private static final int RESIDENT = 1;

  private static final int PAGE_KIBIBYTES = Abi.IMAGE_PAGE / 1024;

  /** The length of a clock tick in user space (USER_HZ is 100). */
  private static final int MILLIS_PER_TICK = 10;

  /** Whether it has the name of a stub. */
  public boolean isNamedStub() {
    return comm.equals(STUB_COMM);
  }

  /** Whether it is dead but not yet reaped. */
  public boolean isZombie() {
    return state == 'Z' || state == 'X';
  }

  /** Whether it is the same process, not another one with a reused pid. */
  public boolean isSame(ProcessStatus other) {
    return pid == other.pid && startTime == other.startTime;
  }

  /** Resident memory, in kB. */
  public long residentKibibytes() {
    return residentPages * PAGE_KIBIBYTES;
  }

  /** CPU time used. */
  public Duration cpuTime() {
    return Duration.ofMillis(cpuTicks * MILLIS_PER_TICK);
  }

  /** The time since its start, given the time since boot. */
  public Duration age(Duration uptime) {
    Duration age = uptime.minusMillis(startTime * MILLIS_PER_TICK);
    return age.isNegative() ? Duration.ZERO : age;
  }

  /** The state in words. */
  public String stateWord() {
    return switch (state) {
      case 'R' -> "running";
      case 'S' -> "sleeping";
      case 'D' -> "in the kernel";
      case 'T' -> "stopped";
      case 't' -> "stopped by its tracer";
      case 'Z' -> "dead, not yet reaped";
      default -> "state " + state;
    };
  }

  /** Parses {@code 17 (a name) t 1 ...}; the name may contain any characters, even parentheses. */
  static ProcessStatus parse(int pid, String stat, String statm) {
    int end = stat.lastIndexOf(')');
    String[] field = stat.substring(end + 2).strip().split(" ", -1);
    return new ProcessStatus(
        pid,
        stat.substring(stat.indexOf('(') + 1, end),
        field[STATE].charAt(0),
        Integer.parseInt(field[PARENT]),
        Long.parseLong(field[USER_TICKS]) + Long.parseLong(field[SYSTEM_TICKS]),
        Integer.parseInt(field[THREADS]),
        Long.parseLong(field[START_TIME]),
        Long.parseLong(statm.split(" ", -1)[RESIDENT]));
  }
}
