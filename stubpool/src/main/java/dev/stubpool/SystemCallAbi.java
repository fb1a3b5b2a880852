package dev.stubpool;

/** How a guest made a system call, and so what its number means. */
public enum SystemCallAbi {
  /** The {@code syscall} instruction in 64-bit code. */
  X86_64,
  /** The same with bit 30 of the number set, whether or not the host's kernel has x32. */
  X32,
  /**
   * {@code int 0x80}, on AMD's CPUs also {@code syscall} in 32-bit code, on Intel's also {@code
   * sysenter}: 32-bit arguments, the numbers of i386. After {@code syscall} and {@code sysenter}
   * the guest goes on in 32-bit code at an address of the kernel's choice, where a stub has nothing
   * mapped unless the caller mapped it.
   */
  I386,
  /**
   * A call of a function in the vsyscall page, which looks as if it had returned already: the
   * result is all that is missing.
   */
  VSYSCALL
}
