package dev.stubpool.kernel.process;

import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.signal.SignalInfo;

/** How a process ended, in the word that wait(2) gives. */
public final class ExitStatus {
  /** si_code of SIGCHLD. */
  public static final int CLD_EXITED = 1;

  public static final int CLD_KILLED = 2;
  public static final int CLD_DUMPED = 3;
  public static final int CLD_STOPPED = 5;
  public static final int CLD_CONTINUED = 6;

  /** Of one that goes on after it was stopped, in the word that wait(2) gives. */
  public static final int CONTINUED = 0xffff;

  private static final int SIGNAL_BITS = 0x7f;
  private static final int STOPPED = 0x7f;

  /** An exit status as shells have it: this and the signal's number. */
  private static final int SHELL_KILLED = 128;

  private ExitStatus() {}

  /** By exit(2). */
  public static int exited(int code) {
    return (code & 0xff) << 8;
  }

  /** By a signal. */
  public static int killed(int signal) {
    return signal;
  }

  /** Of one that a signal has stopped. */
  public static int stopped(int signal) {
    return signal << 8 | STOPPED;
  }

  /** The signal that ended it; 0 if none did. */
  public static int signal(int status) {
    return status & SIGNAL_BITS;
  }

  /** What it told exit(2). */
  public static int code(int status) {
    return status >> 8 & 0xff;
  }

  /** As a shell tells it. */
  public static int ofShell(int status) {
    return signal(status) == 0 ? code(status) : SHELL_KILLED + signal(status);
  }

  /** Whether it was stopped, and has not ended. */
  public static boolean isStopped(int status) {
    return signal(status) == STOPPED && status != CONTINUED;
  }

  /**
   * What its parent is told of a process that has ended, or was stopped, or goes on.
   *
   * @param signal that comes with it
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
