package dev.stubpool.seccomp.audit;

import java.util.Locale;

/** What {@link SeccompAudit} looks for. */
public enum Check {
  /**
   * The answer never depends on the architecture, but on the number: which means another call in
   * each of them.
   */
  NO_ARCHITECTURE_CHECK(Severity.HIGH),

  /** Some calls of one architecture are restricted, all of another one are allowed. */
  OTHER_ARCHITECTURE_ALLOWED(Severity.HIGH),

  /**
   * A call that is denied on x86-64 is allowed with bit 30 of the number set: the kernel, if it was
   * built with x32, does the same.
   */
  X32_HOLE(Severity.HIGH),

  /** x32 calls are allowed, and none of them that is denied otherwise. */
  X32_ALLOWED(Severity.LOW),

  /** Of a 64-bit argument only the low half is compared. */
  LOW_HALF_ONLY(Severity.MEDIUM),

  /**
   * The high half of an argument is compared of which the kernel only takes the low one; a call
   * that is denied is allowed with other high bits, although it does the same.
   */
  HIGH_HALF_EVASION(Severity.HIGH),

  /**
   * The high half of an argument is compared of which the kernel only takes the low one: a call
   * with high bits is denied, although it does what an allowed one does.
   */
  HIGH_HALF_NEEDLESS(Severity.INFO),

  /**
   * A pointer is compared with something else than null: what it points to may be anything, and may
   * change between filter and kernel.
   */
  POINTER_COMPARED(Severity.MEDIUM),

  /** A call is restricted, but one that can do the same is not. */
  REPLACEMENT_ALLOWED(Severity.MEDIUM),

  /** A call is allowed that can do harm beyond the process, whatever its arguments. */
  DANGEROUS_CALL(Severity.LOW),

  /** Numbers that no call has yet are allowed: so is what later kernels bring. */
  UNKNOWN_CALLS_ALLOWED(Severity.MEDIUM),

  /**
   * Only the calling thread is killed: a process of several threads goes on in an unknown state.
   */
  KILL_THREAD(Severity.LOW),

  /** A call is not done, but reported as successful. */
  ERRNO_ZERO(Severity.MEDIUM),

  /** An errno above 4,095, which becomes 4,095. */
  ERRNO_TOO_LARGE(Severity.LOW),

  /** A value that is no action; the kernel kills the process. */
  UNKNOWN_ACTION(Severity.MEDIUM),

  /** An input makes the program divide by 0, which ends it and kills the thread. */
  DIVISION_BY_ZERO(Severity.MEDIUM),

  /** A tracer decides; without one the call fails with ENOSYS, and other tracers see it too. */
  TRACE(Severity.LOW),

  /**
   * A listener decides; without one the call fails with ENOSYS. What it reads of the caller's
   * memory may change before a call that it lets continue: see seccomp_unotify(2).
   */
  USER_NOTIF(Severity.INFO),

  /** SIGSYS is sent, but its handler cannot return: rt_sigreturn is denied. */
  TRAP_WITHOUT_RETURN(Severity.MEDIUM),

  /** Neither exit nor exit_group is allowed. */
  EXIT_DENIED(Severity.INFO),

  /** The process cannot restrict itself, or what it executes, further. */
  SECCOMP_DENIED(Severity.INFO),

  /** A call that a tracer skips, by making its number -1, is answered by a signal. */
  SKIPPED_CALL_KILLED(Severity.INFO),

  /** Code that no input reaches. */
  DEAD_INSTRUCTIONS(Severity.INFO),

  /** Tests that have the same result for every input that reaches them. */
  CONSTANT_TESTS(Severity.INFO);

  private final Severity severity;

  Check(Severity severity) {
    this.severity = severity;
  }

  /**
   * The check's name for machines; stays the same from version to version.
   *
   * @return such as {@code no-architecture-check}
   */
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * How bad it is if this is found.
   *
   * @return the severity
   */
  public Severity severity() {
    return severity;
  }
}
