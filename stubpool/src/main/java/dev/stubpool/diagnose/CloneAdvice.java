package dev.stubpool.diagnose;

import dev.stubpool.abi.Errno;

/** Advice for error messages when the kernel refuses clone(2). */
public final class CloneAdvice {
  private CloneAdvice() {}

  /** {@return a clause that says what to do, or ""} */
  public static String of(int errno) {
    if (errno == Errno.EAGAIN) {
      return "a limit on processes is reached: look at ulimit -u (RLIMIT_NPROC), pids.max of the"
          + " cgroup, /proc/sys/kernel/pid_max and threads-max";
    }
    if (errno == Errno.ENOMEM) {
      return "the kernel or the cgroup has no memory for another process: free some, or raise"
          + " memory.max of the cgroup";
    }
    return "";
  }
}
