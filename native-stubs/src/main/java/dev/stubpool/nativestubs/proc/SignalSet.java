package dev.stubpool.nativestubs.proc;

import java.util.ArrayList;
import java.util.List;

/**
 * A set of signals.
 *
 * @param mask the kernel's bit mask; bit N is signal N + 1
 */
public record SignalSet(long mask) {
  /** The names by number, from 1, on x86-64 and aarch64, signal(7). */
  private static final List<String> NAMES =
      List.of(
          "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
          "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
          "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS");

  /** All signals that are not in this set. */
  public SignalSet complement() {
    return new SignalSet(~mask);
  }

  /** The names of its standard signals in order, such as {@code SEGV}. */
  public List<String> names() {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < NAMES.size(); i++) {
      if ((mask >>> i & 1) != 0) {
        names.add(NAMES.get(i));
      }
    }
    return names;
  }

  /** The number of its real-time signals. */
  public int realTime() {
    return Long.bitCount(mask >>> NAMES.size());
  }
}
