package dev.stubpool.seccomp;

/**
 * The action that a filter returns for a system call: a decoded SECCOMP_RET value, seccomp(2).
 *
 * <p>Equal actions have the same effect, so kinds that ignore the data always hold 0.
 *
 * @param kind what happens to the system call
 * @param data 0 to 65,535 for {@link Kind#TRAP} and {@link Kind#TRACE}, 0 to 4,095 for {@link
 *     Kind#ERRNO}, else 0
 */
public record SeccompAction(Kind kind, int data) {

  /** The greatest errno that the kernel returns; greater ones are lowered to it. */
  public static final int MAX_ERRNO = 4095;

  /** Kills the whole process with SIGSYS. */
  public static final SeccompAction KILL_PROCESS = new SeccompAction(Kind.KILL_PROCESS, 0);

  /** Kills the calling thread only. */
  public static final SeccompAction KILL_THREAD = new SeccompAction(Kind.KILL_THREAD, 0);

  /** Sends SIGSYS with data 0. */
  public static final SeccompAction TRAP = trap(0);

  /** Asks the user-space listener (seccomp_unotify(2)). */
  public static final SeccompAction USER_NOTIF = new SeccompAction(Kind.USER_NOTIF, 0);

  /** Allows the call and logs it. */
  public static final SeccompAction LOG = new SeccompAction(Kind.LOG, 0);

  /** Allows the call. */
  public static final SeccompAction ALLOW = new SeccompAction(Kind.ALLOW, 0);

  private static final int ACTION_MASK = 0xffff0000;
  private static final int DATA_MASK = 0xffff;

  /**
   * What happens to a system call, in order of precedence: if several filters return different
   * kinds, the first of them in this order wins.
   */
  public enum Kind {
    /** SECCOMP_RET_KILL_PROCESS, Linux 4.14. */
    KILL_PROCESS(0x80000000, 0),
    /** SECCOMP_RET_KILL_THREAD, called SECCOMP_RET_KILL before Linux 4.14. */
    KILL_THREAD(0x00000000, 0),
    /** SECCOMP_RET_TRAP: a SIGSYS whose {@code si_errno} is the data. */
    TRAP(0x00030000, DATA_MASK),
    /** SECCOMP_RET_ERRNO: the call fails with the data as errno; with 0 it returns 0. */
    ERRNO(0x00050000, MAX_ERRNO),
    /** SECCOMP_RET_USER_NOTIF, Linux 5.0; the call fails with ENOSYS if there is no listener. */
    USER_NOTIF(0x7fc00000, 0),
    /**
     * SECCOMP_RET_TRACE: the tracer gets the data; the call fails with ENOSYS if there is no
     * tracer.
     */
    TRACE(0x7ff00000, DATA_MASK),
    /** SECCOMP_RET_LOG, Linux 4.14. */
    LOG(0x7ffc0000, 0),
    /** SECCOMP_RET_ALLOW. */
    ALLOW(0x7fff0000, 0);

    private final int value;
    private final int maxData;

    Kind(int value, int maxData) {
      this.value = value;
      this.maxData = maxData;
    }
  }

  /**
   * Checks the data.
   *
   * @throws IllegalArgumentException if the kind cannot have this data
   */
  public SeccompAction {
    if (data < 0 || data > kind.maxData) {
      throw new IllegalArgumentException(
          "data of " + kind + " must be 0 to " + kind.maxData + ": " + data);
    }
  }

  /**
   * Sends SIGSYS.
   *
   * @param data what {@code si_errno} holds, 0 to 65,535
   * @return the action
   * @throws IllegalArgumentException if the data is out of range
   */
  public static SeccompAction trap(int data) {
    return new SeccompAction(Kind.TRAP, data);
  }

  /**
   * Fails the call.
   *
   * @param errno the error number, 0 to 4,095; with 0 the call returns 0 and does nothing
   * @return the action
   * @throws IllegalArgumentException if the number is out of range
   */
  public static SeccompAction errno(int errno) {
    return new SeccompAction(Kind.ERRNO, errno);
  }

  /**
   * Stops the thread for its tracer.
   *
   * @param data what PTRACE_GETEVENTMSG gives, 0 to 65,535
   * @return the action
   * @throws IllegalArgumentException if the data is out of range
   */
  public static SeccompAction trace(int data) {
    return new SeccompAction(Kind.TRACE, data);
  }

  /**
   * Decodes a filter's return value as the kernel does.
   *
   * @param value a filter's return value
   * @return the action; an unknown one becomes KILL_PROCESS, data without effect becomes 0, and an
   *     errno above 4,095 becomes 4,095
   */
  public static SeccompAction decode(int value) {
    for (Kind kind : Kind.values()) {
      if (kind.value == (value & ACTION_MASK)) {
        return new SeccompAction(kind, Math.min(value & DATA_MASK, kind.maxData));
      }
    }
    return KILL_PROCESS;
  }

  /**
   * Encodes the action as a filter returns it.
   *
   * @return action and data in one word
   */
  public int encode() {
    return kind.value | data;
  }

  /**
   * Describes the action.
   *
   * @return such as {@code ALLOW} or {@code ERRNO(13)}
   */
  @Override
  public String toString() {
    return kind.maxData == 0 ? kind.name() : kind + "(" + data + ")";
  }
}
