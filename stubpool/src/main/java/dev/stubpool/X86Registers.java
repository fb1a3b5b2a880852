package dev.stubpool;

/**
 * The general registers of a stopped x86-64 guest. All are read from the kernel together when the
 * first is used. All that are set are written together when the guest is resumed.
 *
 * <p>All methods may be called only on the guest's tracer thread, and throw as those of {@link
 * Guest} do.
 */
public interface X86Registers {
  /**
   * The value of a register.
   *
   * @param register the register to read
   * @return its value
   */
  long get(X86Register register);

  /**
   * Sets a register.
   *
   * @param register the register to set
   * @param value its new value
   * @return this
   * @throws IllegalArgumentException for a value that the kernel would refuse: a bit of {@code
   *     RFLAGS} that user space cannot set, or a selector that is 0 or whose privilege level is not
   *     3
   */
  X86Registers set(X86Register register, long value);

  /** {@return the flags, rflags} */
  default long flags() {
    return get(X86Register.RFLAGS);
  }

  /**
   * Sets the flags. ID, IOPL and IF do not change. RF suppresses a breakpoint on the next
   * instruction.
   *
   * @param value the new value
   * @return this
   * @throws IllegalArgumentException for bits that user space cannot set
   */
  default X86Registers flags(long value) {
    return set(X86Register.RFLAGS, value);
  }

  /** {@return the code segment selector: 0x33 for 64-bit code, 0x23 for 32-bit code} */
  default int cs() {
    return (int) get(X86Register.CS);
  }

  /**
   * Sets the code segment selector.
   *
   * @param value the new value
   * @return this
   * @throws IllegalArgumentException for 0, and for a selector whose privilege level is not 3
   */
  default X86Registers cs(int value) {
    return set(X86Register.CS, value);
  }

  /** {@return the stack segment selector, 0x2b} */
  default int ss() {
    return (int) get(X86Register.SS);
  }

  /**
   * Sets the stack segment selector.
   *
   * @param value the new value
   * @return this
   * @throws IllegalArgumentException for 0, and for a selector whose privilege level is not 3
   */
  default X86Registers ss(int value) {
    return set(X86Register.SS, value);
  }

  /** {@return the value of rax} */
  default long rax() {
    return get(X86Register.RAX);
  }

  /**
   * Sets rax.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers rax(long value) {
    return set(X86Register.RAX, value);
  }

  /** {@return the value of rbx} */
  default long rbx() {
    return get(X86Register.RBX);
  }

  /**
   * Sets rbx.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers rbx(long value) {
    return set(X86Register.RBX, value);
  }

  /** {@return the value of rcx} */
  default long rcx() {
    return get(X86Register.RCX);
  }

  /**
   * Sets rcx.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers rcx(long value) {
    return set(X86Register.RCX, value);
  }

  /** {@return the value of rdx} */
  default long rdx() {
    return get(X86Register.RDX);
  }

  /**
   * Sets rdx.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers rdx(long value) {
    return set(X86Register.RDX, value);
  }

  /** {@return the value of rsi} */
  default long rsi() {
    return get(X86Register.RSI);
  }

  /**
   * Sets rsi.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers rsi(long value) {
    return set(X86Register.RSI, value);
  }

  /** {@return the value of rdi} */
  default long rdi() {
    return get(X86Register.RDI);
  }

  /**
   * Sets rdi.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers rdi(long value) {
    return set(X86Register.RDI, value);
  }

  /** {@return the value of rbp} */
  default long rbp() {
    return get(X86Register.RBP);
  }

  /**
   * Sets rbp.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers rbp(long value) {
    return set(X86Register.RBP, value);
  }

  /** {@return the stack pointer, rsp} */
  default long rsp() {
    return get(X86Register.RSP);
  }

  /**
   * Sets rsp.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers rsp(long value) {
    return set(X86Register.RSP, value);
  }

  /** {@return the value of r8} */
  default long r8() {
    return get(X86Register.R8);
  }

  /**
   * Sets r8.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers r8(long value) {
    return set(X86Register.R8, value);
  }

  /** {@return the value of r9} */
  default long r9() {
    return get(X86Register.R9);
  }

  /**
   * Sets r9.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers r9(long value) {
    return set(X86Register.R9, value);
  }

  /** {@return the value of r10} */
  default long r10() {
    return get(X86Register.R10);
  }

  /**
   * Sets r10.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers r10(long value) {
    return set(X86Register.R10, value);
  }

  /** {@return the value of r11} */
  default long r11() {
    return get(X86Register.R11);
  }

  /**
   * Sets r11.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers r11(long value) {
    return set(X86Register.R11, value);
  }

  /** {@return the value of r12} */
  default long r12() {
    return get(X86Register.R12);
  }

  /**
   * Sets r12.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers r12(long value) {
    return set(X86Register.R12, value);
  }

  /** {@return the value of r13} */
  default long r13() {
    return get(X86Register.R13);
  }

  /**
   * Sets r13.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers r13(long value) {
    return set(X86Register.R13, value);
  }

  /** {@return the value of r14} */
  default long r14() {
    return get(X86Register.R14);
  }

  /**
   * Sets r14.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers r14(long value) {
    return set(X86Register.R14, value);
  }

  /** {@return the value of r15} */
  default long r15() {
    return get(X86Register.R15);
  }

  /**
   * Sets r15.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers r15(long value) {
    return set(X86Register.R15, value);
  }

  /** {@return the address of the next instruction, rip} */
  default long rip() {
    return get(X86Register.RIP);
  }

  /**
   * Sets rip.
   *
   * @param value the new value
   * @return this
   */
  default X86Registers rip(long value) {
    return set(X86Register.RIP, value);
  }
}
