package dev.stubpool.seccomp.audit;

import java.util.Locale;

/** The checks of {@link SeccompAudit}. */
public enum Check {
  /**
   * The filter tests the number but not the architecture, although a number means a different call
   * on each architecture.
   */
  NO_ARCHITECTURE_CHECK(Severity.HIGH),

  /** Some calls of one architecture are restricted, but all calls of another one are allowed. */
  OTHER_ARCHITECTURE_ALLOWED(Severity.HIGH),

  /**
   * A call that is denied on x86-64 is allowed with bit 30 of the number set; a kernel with x32
   * support executes the same call.
   */
  X32_HOLE(Severity.HIGH),

  /** x32 calls are allowed, though none that is denied on x86-64. */
  X32_ALLOWED(Severity.LOW),

  /** Only the low half of a 64-bit argument is compared. */
  LOW_HALF_ONLY(Severity.MEDIUM),

  /**
   * The high half of an argument is compared although the kernel only uses the low one, so a denied
   * call is allowed with other high bits and does the same.
   */
  HIGH_HALF_EVASION(Severity.HIGH),

  /**
   * The high half of an argument is compared although the kernel only uses the low one, so a call
   * with high bits is denied although it does the same as an allowed one.
   */
  HIGH_HALF_NEEDLESS(Severity.INFO),

  /**
   * A pointer is compared with something other than null: the memory behind it may hold anything,
   * and may change between the filter and the kernel's use of it.
   */
  POINTER_COMPARED(Severity.MEDIUM),

  /** A call is restricted, but another one that can do the same is allowed. */
  REPLACEMENT_ALLOWED(Severity.MEDIUM),

  /** A call that can do harm beyond the process is allowed with any arguments. */
  DANGEROUS_CALL(Severity.LOW),

  /** Numbers that no call has yet are allowed, and with them the new calls of later kernels. */
  UNKNOWN_CALLS_ALLOWED(Severity.MEDIUM),

  /**
   * Only the calling thread is killed: the other threads of the process continue in an unknown
   * state.
   */
  KILL_THREAD(Severity.LOW),

  /** A call is not executed, but reported as successful. */
  ERRNO_ZERO(Severity.MEDIUM),

  /** An errno above 4,095, which the kernel lowers to 4,095. */
  ERRNO_TOO_LARGE(Severity.LOW),

  /** A return value that is no action, for which the kernel kills the process. */
  UNKNOWN_ACTION(Severity.MEDIUM),

  /** An input makes the program divide by 0, which kills the thread. */
  DIVISION_BY_ZERO(Severity.MEDIUM),

  /**
   * A tracer decides. Without one the call fails with ENOSYS; any tracer of the process sees the
   * call.
   */
  TRACE(Severity.LOW),

  /**
   * A listener decides. Without one the call fails with ENOSYS. The caller's memory may change
   * after the listener has read it and let the call continue: see seccomp_unotify(2).
   */
  USER_NOTIF(Severity.INFO),

  /** SIGSYS is sent, but its handler cannot return because rt_sigreturn is denied. */
  TRAP_WITHOUT_RETURN(Severity.MEDIUM),

  /** Neither exit nor exit_group is allowed. */
  EXIT_DENIED(Severity.INFO),

  /** The process cannot install further filters for itself or for programs that it executes. */
  SECCOMP_DENIED(Severity.INFO),

  /** A call that a tracer skips by setting its number to -1 raises a signal. */
  SKIPPED_CALL_KILLED(Severity.INFO),

  /** Instructions that no input reaches. */
  DEAD_INSTRUCTIONS(Severity.INFO),

  /** Conditional jumps with the same outcome for every input that reaches them. */
  CONSTANT_TESTS(Severity.INFO);

  private final Severity severity;

  Check(Severity severity) {
    this.severity = severity;
  }

  /**
   * The check's identifier, which does not change between versions.
   *
   * @return such as {@code no-architecture-check}
   */
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * The severity of this check's findings.
   *
   * @return the severity
   */
  public Severity severity() {
    return severity;
  }
}
