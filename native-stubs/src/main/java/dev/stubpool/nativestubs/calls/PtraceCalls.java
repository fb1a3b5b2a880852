package dev.stubpool.nativestubs.calls;

import static dev.stubpool.nativestubs.calls.Abi.SYS_ptrace;

/**
 * ptrace(2), one method a request. All but {@link #seize} must be called by the thread that seized;
 * ESRCH means that the tracee is not stopped, or dying.
 */
public final class PtraceCalls {
  /** Beyond the highest pid that a kernel gives (PID_MAX_LIMIT, 2^22). */
  private static final int NO_PID = Integer.MAX_VALUE;

  private PtraceCalls() {}

  /**
   * Starts to trace {@code pid} with these options, without stopping it. EPERM also when it just
   * died.
   */
  public static long seize(int pid, int options) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_SEIZE, pid, 0, options);
  }

  /**
   * Seizes a process that cannot exist: -ESRCH where the kernel is reached, another -errno where a
   * seccomp filter answers in its stead.
   */
  public static long probe() {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_SEIZE, NO_PID, 0, 0);
  }

  /** Lets a stopped tracee go on; a signal that stopped it is not delivered. */
  public static long resume(int pid) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_CONT, pid, 0, 0);
  }

  /**
   * Lets a stopped tracee go on until its next system call, which is not made (PTRACE_SYSEMU); a
   * signal that stopped it is not delivered.
   */
  public static long emulate(int pid) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_SYSEMU, pid, 0, 0);
  }

  /** {@link #emulate} for one instruction at most (PTRACE_SYSEMU_SINGLESTEP). */
  public static long emulateStep(int pid) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_SYSEMU_SINGLESTEP, pid, 0, 0);
  }

  /**
   * Delivers a signal to a stopped tracee and stops it on the first instruction of the handler
   * (PTRACE_SINGLESTEP).
   */
  public static long stepInto(int pid, int signal) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_SINGLESTEP, pid, 0, signal);
  }

  /** Lets a stopped tracee go, untraced from now on. */
  public static long detach(int pid) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_DETACH, pid, 0, 0);
  }

  /** Has a running tracee stop with PTRACE_EVENT_STOP. */
  public static long interrupt(int pid) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_INTERRUPT, pid, 0, 0);
  }

  /**
   * Reads {@code struct ptrace_syscall_info} ({@link Abi#SYSCALL_INFO_SIZE} bytes) to {@code
   * address}. The number of bytes that the kernel has, or -errno.
   */
  public static long getSystemCallInfo(int pid, long address) {
    return Kernel.call(
        SYS_ptrace, Abi.PTRACE_GET_SYSCALL_INFO, pid, Abi.SYSCALL_INFO_SIZE, address);
  }

  /** Reads {@code struct user_regs_struct} ({@link Abi#REGS_SIZE} bytes) to {@code address}. */
  public static long getRegisters(int pid, long address) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_GETREGS, pid, 0, address);
  }

  /**
   * Writes {@code struct user_regs_struct} from {@code address}. EIO for selectors and bases that
   * it refuses.
   */
  public static long setRegisters(int pid, long address) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_SETREGS, pid, 0, address);
  }

  /**
   * Reads register set {@code type} into the {@code struct iovec} at {@code iovec}, whose length
   * becomes the real one.
   */
  public static long getRegisterSet(int pid, int type, long iovec) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_GETREGSET, pid, type, iovec);
  }

  /** Writes register set {@code type} from the {@code struct iovec} at {@code iovec}. */
  public static long setRegisterSet(int pid, int type, long iovec) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_SETREGSET, pid, type, iovec);
  }

  /** Writes one word of {@code struct user}. */
  public static long pokeUser(int pid, long offset, long value) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_POKEUSR, pid, offset, value);
  }

  /**
   * Reads one word of {@code struct user} to {@code address}: the raw call, unlike libc's, stores
   * its result.
   */
  public static long peekUser(int pid, long offset, long address) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_PEEKUSR, pid, offset, address);
  }

  /** Sets the signal mask to the {@code sigset_t} at {@code mask}. */
  public static long setSignalMask(int pid, long mask) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_SETSIGMASK, pid, Abi.KERNEL_SIGSET_SIZE, mask);
  }

  /** Reads the signal mask to the {@code sigset_t} at {@code mask}. */
  public static long getSignalMask(int pid, long mask) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_GETSIGMASK, pid, Abi.KERNEL_SIGSET_SIZE, mask);
  }

  /**
   * Reads pending signals, as many as the {@code struct ptrace_peeksiginfo_args} at {@code
   * arguments} asks for, to the siginfo_t at {@code siginfo}. Their number, or -errno.
   */
  public static long peekSignals(int pid, long arguments, long siginfo) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_PEEKSIGINFO, pid, arguments, siginfo);
  }

  /** Reads the siginfo_t of the signal that stopped the tracee to {@code address}. */
  public static long getSignalInfo(int pid, long address) {
    return Kernel.call(SYS_ptrace, Abi.PTRACE_GETSIGINFO, pid, 0, address);
  }
}
