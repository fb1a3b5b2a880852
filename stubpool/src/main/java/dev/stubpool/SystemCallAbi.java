package dev.stubpool;

/** How a guest made a system call, which determines the table that the call's number refers to. */
public enum SystemCallAbi {
  /** The {@code syscall} instruction in 64-bit code. */
  X86_64,
  /**
   * The {@code syscall} instruction in 64-bit code with bit 30 of the number set, whether or not
   * the host's kernel supports x32.
   */
  X32,
  /**
   * {@code int 0x80}; on AMD's CPUs also {@code syscall} in 32-bit code, on Intel's also {@code
   * sysenter}. Arguments are 32 bits, and numbers are those of i386. After {@code syscall} and
   * {@code sysenter} the guest continues in 32-bit code at an address that the kernel chooses,
   * where nothing is mapped in a stub unless its holder mapped it.
   */
  I386,
  /**
   * A call of a function in the vsyscall page. The guest is stopped as if the function had returned
   * already; only the result is missing.
   */
  VSYSCALL
}
