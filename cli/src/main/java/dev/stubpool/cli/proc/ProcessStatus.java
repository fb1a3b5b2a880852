package dev.stubpool.cli.proc;

import dev.stubpool.AddressSpace;
import java.time.Duration;

/**
 * A process as {@code /proc/PID/stat} and {@code /proc/PID/statm} tell of it at one moment,
 * proc_pid_stat(5).
 *
 * @param pid its number, which another process may have later
 * @param comm its name, at most 15 characters
 * @param state one letter, such as {@code t} for stopped by its tracer
 * @param parent the pid of its parent
 * @param cpuTicks processor time used, in clock ticks
 * @param threads how many it has
 * @param startTime when it started, in clock ticks since boot; tells processes of one pid apart
 * @param residentPages memory of it that is resident, in pages
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
  /** The name that the library gives all stubs. */
  public static final String STUB_COMM = "stubpool-stub";

  private static final int STATE = 0;
  private static final int PARENT = 1;
  private static final int USER_TICKS = 11;
  private static final int SYSTEM_TICKS = 12;
  private static final int THREADS = 17;
  private static final int START_TIME = 19;

  /**
   * In statm, which counts exactly; what stat has for it may be 0 for a process as small as a stub.
   */
  private static final int RESIDENT = 1;

  private static final int PAGE_KIBIBYTES = AddressSpace.PAGE_SIZE / 1024;

  /** USER_HZ, which the kernel shows to programs whatever its own ticks are. */
  private static final int MILLIS_PER_TICK = 10;

  /** Whether it has the name of a stub. */
  public boolean isNamedStub() {
    return comm.equals(STUB_COMM);
  }

  /** Whether it is dead, and only its parent has not taken notice yet. */
  public boolean isZombie() {
    return state == 'Z' || state == 'X';
  }

  /** Whether it is the same process, not another one of that number. */
  public boolean isSame(ProcessStatus other) {
    return pid == other.pid && startTime == other.startTime;
  }

  /** Resident memory, in kB. */
  public long residentKibibytes() {
    return residentPages * PAGE_KIBIBYTES;
  }

  /** Processor time used. */
  public Duration cpuTime() {
    return Duration.ofMillis(cpuTicks * MILLIS_PER_TICK);
  }

  /** How long it has lived on a machine that has been up for so long. */
  public Duration age(Duration uptime) {
    Duration age = uptime.minusMillis(startTime * MILLIS_PER_TICK);
    return age.isNegative() ? Duration.ZERO : age;
  }

  /** The state in a word. */
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

  /** {@code 17 (a name) t 1 ...}; the name may hold anything, parentheses too. */
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
