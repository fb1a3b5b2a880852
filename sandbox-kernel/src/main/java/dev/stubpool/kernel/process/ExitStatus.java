package dev.stubpool.kernel.process;

import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.signal.SignalInfo;

/** Exit statuses in the encoding of wait(2). */
public final class ExitStatus {
  /** si_code of SIGCHLD. */
  public static final int CLD_EXITED = 1;

  public static final int CLD_KILLED = 2;
  public static final int CLD_DUMPED = 3;
  public static final int CLD_STOPPED = 5;
  public static final int CLD_CONTINUED = 6;

  /** The status of a process that was continued. */
  public static final int CONTINUED = 0xffff;

  private static final int SIGNAL_BITS = 0x7f;
  private static final int STOPPED = 0x7f;

  /** The base of a shell's exit status for a signal, to which the signal's number is added. */
  private static final int SHELL_KILLED = 128;

  private ExitStatus() {}

  /** The status after exit(2). */
  public static int exited(int code) {
    return (code & 0xff) << 8;
  }

  /** The status after a fatal signal. */
  public static int killed(int signal) {
    return signal;
  }

  /** The status after a stop by a signal. */
  public static int stopped(int signal) {
    return signal << 8 | STOPPED;
  }

  /** The fatal signal; 0 if there was none. */
  public static int signal(int status) {
    return status & SIGNAL_BITS;
  }

  /** The argument of exit(2). */
  public static int code(int status) {
    return status >> 8 & 0xff;
  }

  /** The exit status as a shell reports it. */
  public static int ofShell(int status) {
    return signal(status) == 0 ? code(status) : SHELL_KILLED + signal(status);
  }

  /** Whether the status is that of a stopped process. */
  public static boolean isStopped(int status) {
    return signal(status) == STOPPED && status != CONTINUED;
  }

  /**
   * The siginfo for the parent of a process that has ended, was stopped or was continued.
   *
   * @param signal the signal that carries it
   */
  public static SignalInfo info(GuestProcess process, int signal) {
    int status = process.status();
    if (status == CONTINUED) {
      return info(process, signal, CLD_CONTINUED, Signal.SIGCONT);
    }
    if (isStopped(status)) {
      return info(process, signal, CLD_STOPPED, code(status));
    }
    return signal(status) == 0
        ? info(process, signal, CLD_EXITED, code(status))
        : info(process, signal, CLD_KILLED, signal(status));
  }

  private static SignalInfo info(GuestProcess process, int signal, int code, int status) {
    return SignalInfo.ofChild(signal, code, process.pid(), process.identity().uid(), status);
  }
}
