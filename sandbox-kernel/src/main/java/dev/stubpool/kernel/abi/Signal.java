package dev.stubpool.kernel.abi;

/** Signals, signal(7), of x86-64. */
public final class Signal {
  public static final int SIGHUP = 1;
  public static final int SIGINT = 2;
  public static final int SIGQUIT = 3;
  public static final int SIGILL = 4;
  public static final int SIGTRAP = 5;
  public static final int SIGBUS = 7;
  public static final int SIGFPE = 8;
  public static final int SIGKILL = 9;
  public static final int SIGSEGV = 11;
  public static final int SIGPIPE = 13;
  public static final int SIGALRM = 14;
  public static final int SIGTERM = 15;
  public static final int SIGCHLD = 17;
  public static final int SIGCONT = 18;
  public static final int SIGSTOP = 19;
  public static final int SIGTSTP = 20;
  public static final int SIGTTIN = 21;
  public static final int SIGTTOU = 22;
  public static final int SIGURG = 23;
  public static final int SIGWINCH = 28;
  public static final int SIGSYS = 31;

  private static final int SI_KERNEL = 0x80;

  /** The first real-time signal. */
  public static final int SIGRTMIN = 32;

  /** The last real-time signal. */
  public static final int SIGRTMAX = 64;

  private static final String[] NAMES =
      ("0 HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT"
              + " STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN")
          .split(" ");

  private Signal() {}

  /** The bit of a signal in a signal set. */
  public static long bit(int signal) {
    return 1L << (signal - 1);
  }

  /** The name as of strace(1): {@code SIGSEGV}, {@code SIGRT_3}. */
  public static String name(long signal) {
    if (signal > 0 && signal < NAMES.length) {
      return "SIG" + NAMES[(int) signal];
    }
    return signal > 0 && signal <= SIGRTMAX
        ? "SIGRT_" + (signal - NAMES.length + 1)
        : Long.toString(signal);
  }

  /** The name of an si_code as of strace(1), for the codes that guests get; sigaction(2). */
  public static String codeName(int signal, int code) {
    return switch (code) {
      case SI_KERNEL -> "SI_KERNEL";
      case 0 -> "SI_USER";
      case -1 -> "SI_QUEUE";
      case -2 -> "SI_TIMER";
      case -6 -> "SI_TKILL";
      default ->
          switch (name(signal) + " " + code) {
            case "SIGSEGV 1" -> "SEGV_MAPERR";
            case "SIGSEGV 2" -> "SEGV_ACCERR";
            case "SIGBUS 1" -> "BUS_ADRALN";
            case "SIGBUS 2" -> "BUS_ADRERR";
            case "SIGFPE 1" -> "FPE_INTDIV";
            case "SIGFPE 3" -> "FPE_FLTDIV";
            case "SIGILL 2" -> "ILL_ILLOPN";
            case "SIGTRAP 1" -> "TRAP_BRKPT";
            case "SIGTRAP 2" -> "TRAP_TRACE";
            case "SIGCHLD 1" -> "CLD_EXITED";
            case "SIGCHLD 2" -> "CLD_KILLED";
            case "SIGCHLD 5" -> "CLD_STOPPED";
            case "SIGCHLD 6" -> "CLD_CONTINUED";
            default -> Integer.toString(code);
          };
    };
  }

  /** Whether the default action of a signal is to ignore it. */
  public static boolean isIgnoredByDefault(int signal) {
    return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH;
  }

  /** Whether the default action of a signal is to stop the process. */
  public static boolean isStop(int signal) {
    return signal >= SIGSTOP && signal <= SIGTTOU;
  }
}
