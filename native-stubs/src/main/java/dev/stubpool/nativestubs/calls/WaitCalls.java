package dev.stubpool.nativestubs.calls;

import static dev.stubpool.nativestubs.calls.Abi.SYS_waitid;

/**
 * waitid(2) for one thread's own tracees. Stops are consumed when they are seen, deaths never:
 * without WEXITED the kernel answers ECHILD for a dead process and leaves it, so that it keeps its
 * pid until {@link #reap}.
 */
public final class WaitCalls {
  private WaitCalls() {}

  /**
   * Looks, without blocking, {@code tries} times for a stop.
   *
   * @param pidAddress where the pid is, or will be; 0 there is waited out
   * @return 1 when the siginfo_t at {@code siginfo} tells how it stopped, 0 when there is nothing
   *     yet, -ECHILD when it is dead, or another -errno
   */
  public static long pollStop(long pidAddress, long siginfo, int tries) {
    return Kernel.pollStop(pidAddress, siginfo, tries);
  }

  /**
   * Blocks until {@code pid} stops or dies.
   *
   * @return 0 when the siginfo_t at {@code siginfo} tells how it stopped, -ECHILD when it is dead,
   *     -EINTR
   */
  public static long awaitStop(int pid, long siginfo) {
    return Kernel.call(SYS_waitid, Abi.P_PID, pid, siginfo, Abi.WSTOPPED | Abi.WALL, 0, 0);
  }

  /**
   * Blocks until {@code pid} is dead, and leaves it. 0 when the siginfo_t at {@code siginfo} tells
   * how, or -EINTR.
   */
  public static long awaitDeath(int pid, long siginfo) {
    return Kernel.call(
        SYS_waitid, Abi.P_PID, pid, siginfo, Abi.WEXITED | Abi.WNOWAIT | Abi.WALL, 0, 0);
  }

  /**
   * Looks whether {@code pid} is dead, and leaves it. 0 with si_pid in the siginfo_t at {@code
   * siginfo} 0 if it is not; a stop that was not consumed shows too.
   */
  public static long peekDeath(int pid, long siginfo) {
    int options = Abi.WEXITED | Abi.WNOWAIT | Abi.WNOHANG | Abi.WALL;
    return Kernel.call(SYS_waitid, Abi.P_PID, pid, siginfo, options, 0, 0);
  }

  /**
   * Frees the pid of a dead process. 0, or -errno; si_pid in the siginfo_t is 0 if it is not dead.
   */
  public static long reap(int pid, long siginfo) {
    return Kernel.call(
        SYS_waitid, Abi.P_PID, pid, siginfo, Abi.WEXITED | Abi.WNOHANG | Abi.WALL, 0, 0);
  }

  /**
   * Looks for any dead child or tracee of the calling thread alone, and leaves it. 0 with si_pid in
   * the siginfo_t at {@code siginfo} 0 if there is none, or -ECHILD when it has neither. A tracee
   * whose stop was not consumed shows too.
   */
  public static long peekAnyDeath(long siginfo) {
    int options = Abi.WEXITED | Abi.WNOHANG | Abi.WNOWAIT | Abi.WALL | Abi.WNOTHREAD;
    return Kernel.call(SYS_waitid, Abi.P_ALL, 0, siginfo, options, 0, 0);
  }
}
