package dev.stubpool.trace;

import dev.stubpool.nativestubs.Errno;

/** What to do when clone(2) is refused. */
final class CloneAdvice {
  private CloneAdvice() {}

  static String of(int errno) {
    if (errno == Errno.EAGAIN) {
      return "a limit on processes is reached: look at ulimit -u (RLIMIT_NPROC), pids.max of the"
          + " cgroup, /proc/sys/kernel/pid_max and threads-max";
    }
    if (errno == Errno.ENOMEM) {
      return "the kernel has no memory for another process, or its cgroup has not";
    }
    return "";
  }
}
