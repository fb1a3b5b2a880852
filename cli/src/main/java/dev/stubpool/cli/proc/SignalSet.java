package dev.stubpool.cli.proc;

import java.util.ArrayList;
import java.util.List;

/**
 * A set of signals.
 *
 * @param mask bit N is signal N + 1, as the kernel has it
 */
public record SignalSet(long mask) {
  /** By their numbers on x86-64 and aarch64, signal(7); from 1. */
  private static final List<String> NAMES =
      List.of(
          "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
          "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
          "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS");

  /** All that are not in this one. */
  public SignalSet complement() {
    return new SignalSet(~mask);
  }

  /** The names of its standard signals, in order, such as {@code SEGV}. Others have none. */
  public List<String> names() {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < NAMES.size(); i++) {
      if ((mask >>> i & 1) != 0) {
        names.add(NAMES.get(i));
      }
    }
    return names;
  }

  /** How many real-time signals are in it. */
  public int realTime() {
    return Long.bitCount(mask >>> NAMES.size());
  }
}
