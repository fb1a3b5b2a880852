package dev.stubpool;

/** A general register of an x86-64 guest, as {@link X86Registers} reads and writes it. */
public enum X86Register {
  /** rax: holds the number of a system call, and its result. */
  RAX,
  /** rbx. */
  RBX,
  /** rcx: the {@code syscall} instruction stores the address of the next instruction in it. */
  RCX,
  /** rdx. */
  RDX,
  /** rsi. */
  RSI,
  /** rdi. */
  RDI,
  /** rbp. */
  RBP,
  /** rsp, the stack pointer. */
  RSP,
  /** r8. */
  R8,
  /** r9. */
  R9,
  /** r10. */
  R10,
  /** r11: the {@code syscall} instruction stores rflags in it. */
  R11,
  /** r12. */
  R12,
  /** r13. */
  R13,
  /** r14. */
  R14,
  /** r15. */
  R15,
  /** rip, the address of the next instruction. */
  RIP,
  /** rflags. */
  RFLAGS,
  /** The code segment selector, 16 bits. */
  CS,
  /** The stack segment selector, 16 bits. */
  SS
}
