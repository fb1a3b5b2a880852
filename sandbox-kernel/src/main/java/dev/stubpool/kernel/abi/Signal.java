package dev.stubpool.kernel.abi;

/** Signals, signal(7), of x86-64. */
public final class Signal {
  public static final int SIGILL = 4;
  public static final int SIGTRAP = 5;
  public static final int SIGBUS = 7;
  public static final int SIGFPE = 8;
  public static final int SIGKILL = 9;
  public static final int SIGSEGV = 11;
  public static final int SIGPIPE = 13;
  public static final int SIGCHLD = 17;
  public static final int SIGCONT = 18;
  public static final int SIGSTOP = 19;
  public static final int SIGTTOU = 22;
  public static final int SIGURG = 23;
  public static final int SIGWINCH = 28;

  private static final int SI_KERNEL = 0x80;

  /** The last real-time signal. */
  public static final int SIGRTMAX = 64;

  private static final String[] NAMES =
      ("0 HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT"
              + " STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN")
          .split(" ");

  private Signal() {}

  /** Its bit in a signal set. */
  public static long bit(int signal) {
    return 1L << (signal - 1);
  }

  /** As strace(1) has it: {@code SIGSEGV}, {@code SIGRT_3}. */
  public static String name(long signal) {
    if (signal > 0 && signal < NAMES.length) {
      return "SIG" + NAMES[(int) signal];
    }
    return signal > 0 && signal <= SIGRTMAX
        ? "SIGRT_" + (signal - NAMES.length + 1)
        : Long.toString(signal);
  }

  /** What si_code says, as strace(1) has it, as far as guests meet it; sigaction(2). */
  public static String codeName(int signal, int code) {
    if (code == SI_KERNEL) {
      return "SI_KERNEL";
    }
    return switch (name(signal) + " " + code) {
      case "SIGSEGV 1" -> "SEGV_MAPERR";
      case "SIGSEGV 2" -> "SEGV_ACCERR";
      case "SIGBUS 2" -> "BUS_ADRERR";
      case "SIGFPE 1" -> "FPE_INTDIV";
      case "SIGILL 2" -> "ILL_ILLOPN";
      default -> Integer.toString(code);
    };
  }

  /** Whether a program that does not ask for a signal is not ended by it (it may be stopped). */
  public static boolean isHarmless(int signal) {
    return signal == SIGCHLD
        || (signal >= SIGCONT && signal <= SIGTTOU)
        || signal == SIGURG
        || signal == SIGWINCH;
  }
}
