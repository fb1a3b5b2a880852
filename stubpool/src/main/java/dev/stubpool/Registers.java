package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.trace.GuestThread;

/**
 * General registers of a stopped guest. They are read when the first of them is asked for, and
 * written back together, when the guest goes on, if any was changed.
 */
public final class Registers {
  private static final int REQUESTED_PRIVILEGE = 3;
  private static final long MOST_SELECTOR = 0xffff;

  /**
   * What rflags can have in a guest: ID, AC, RF, NT, IOPL, OF, DF, IF, TF, SF, ZF, AF, PF, 1, CF
   * (Intel SDM volume 1, 3.4.3). Of these the kernel keeps its own ID, IOPL and IF.
   */
  private static final long FLAGS = 0x257fd7;

  private final Guest guest;

  Registers(Guest guest) {
    this.guest = guest;
  }

  private long get(int offset) {
    return thread().register(offset);
  }

  private Registers set(int offset, long value) {
    thread().register(offset, value);
    return this;
  }

  private GuestThread thread() {
    guest.checkUsable();
    return guest.thread();
  }

  /** Flags, as rflags has them. */
  public long flags() {
    return get(Abi.REGS_eflags);
  }

  /**
   * Sets flags. ID, IOPL and IF stay what they are; RF holds off a breakpoint on the instruction.
   *
   * @throws IllegalArgumentException for bits that no program of user space can have set
   */
  public Registers flags(long value) {
    checkFlags(value);
    return set(Abi.REGS_eflags, value);
  }

  /** The code segment selector: 0x33 of 64-bit code, 0x23 of 32-bit code. */
  public int cs() {
    return (int) get(Abi.REGS_cs);
  }

  /**
   * Sets the code segment selector.
   *
   * @throws IllegalArgumentException for 0, and for one whose privilege level is not 3
   */
  public Registers cs(int value) {
    checkSelector("cs", value, false);
    return set(Abi.REGS_cs, value);
  }

  /** The stack segment selector, 0x2b. */
  public int ss() {
    return (int) get(Abi.REGS_ss);
  }

  /**
   * Sets the stack segment selector.
   *
   * @throws IllegalArgumentException for 0, and for one whose privilege level is not 3
   */
  public Registers ss(int value) {
    checkSelector("ss", value, false);
    return set(Abi.REGS_ss, value);
  }

  static void checkFlags(long value) {
    if ((value & ~FLAGS) != 0) {
      throw new IllegalArgumentException(
          "flags 0x%x: bits 0x%x cannot be set in user space".formatted(value, value & ~FLAGS));
    }
  }

  /** What SETREGS refuses by EIO, arch/x86/kernel/ptrace.c. */
  static void checkSelector(String name, long value, boolean mayBeNull) {
    if (value == 0 && mayBeNull) {
      return;
    }
    if (value < 0 || value > MOST_SELECTOR) {
      throw new IllegalArgumentException("%s 0x%x: a selector has 16 bits".formatted(name, value));
    }
    if (value == 0 || (value & REQUESTED_PRIVILEGE) != REQUESTED_PRIVILEGE) {
      throw new IllegalArgumentException(
          "%s 0x%x: its privilege level must be 3%s"
              .formatted(name, value, mayBeNull ? ", or it must be 0" : ""));
    }
  }

  /** rax. */
  public long rax() {
    return get(Abi.REGS_rax);
  }

  /** Sets rax. */
  public Registers rax(long value) {
    return set(Abi.REGS_rax, value);
  }

  /** rbx. */
  public long rbx() {
    return get(Abi.REGS_rbx);
  }

  /** Sets rbx. */
  public Registers rbx(long value) {
    return set(Abi.REGS_rbx, value);
  }

  /** rcx. */
  public long rcx() {
    return get(Abi.REGS_rcx);
  }

  /** Sets rcx. */
  public Registers rcx(long value) {
    return set(Abi.REGS_rcx, value);
  }

  /** rdx. */
  public long rdx() {
    return get(Abi.REGS_rdx);
  }

  /** Sets rdx. */
  public Registers rdx(long value) {
    return set(Abi.REGS_rdx, value);
  }

  /** rsi. */
  public long rsi() {
    return get(Abi.REGS_rsi);
  }

  /** Sets rsi. */
  public Registers rsi(long value) {
    return set(Abi.REGS_rsi, value);
  }

  /** rdi. */
  public long rdi() {
    return get(Abi.REGS_rdi);
  }

  /** Sets rdi. */
  public Registers rdi(long value) {
    return set(Abi.REGS_rdi, value);
  }

  /** rbp. */
  public long rbp() {
    return get(Abi.REGS_rbp);
  }

  /** Sets rbp. */
  public Registers rbp(long value) {
    return set(Abi.REGS_rbp, value);
  }

  /** The stack pointer. */
  public long rsp() {
    return get(Abi.REGS_rsp);
  }

  /** Sets rsp. */
  public Registers rsp(long value) {
    return set(Abi.REGS_rsp, value);
  }

  /** r8. */
  public long r8() {
    return get(Abi.REGS_r8);
  }

  /** Sets r8. */
  public Registers r8(long value) {
    return set(Abi.REGS_r8, value);
  }

  /** r9. */
  public long r9() {
    return get(Abi.REGS_r9);
  }

  /** Sets r9. */
  public Registers r9(long value) {
    return set(Abi.REGS_r9, value);
  }

  /** r10. */
  public long r10() {
    return get(Abi.REGS_r10);
  }

  /** Sets r10. */
  public Registers r10(long value) {
    return set(Abi.REGS_r10, value);
  }

  /** r11. */
  public long r11() {
    return get(Abi.REGS_r11);
  }

  /** Sets r11. */
  public Registers r11(long value) {
    return set(Abi.REGS_r11, value);
  }

  /** r12. */
  public long r12() {
    return get(Abi.REGS_r12);
  }

  /** Sets r12. */
  public Registers r12(long value) {
    return set(Abi.REGS_r12, value);
  }

  /** r13. */
  public long r13() {
    return get(Abi.REGS_r13);
  }

  /** Sets r13. */
  public Registers r13(long value) {
    return set(Abi.REGS_r13, value);
  }

  /** r14. */
  public long r14() {
    return get(Abi.REGS_r14);
  }

  /** Sets r14. */
  public Registers r14(long value) {
    return set(Abi.REGS_r14, value);
  }

  /** r15. */
  public long r15() {
    return get(Abi.REGS_r15);
  }

  /** Sets r15. */
  public Registers r15(long value) {
    return set(Abi.REGS_r15, value);
  }

  /** Where the next instruction is. */
  public long rip() {
    return get(Abi.REGS_rip);
  }

  /** Sets rip. */
  public Registers rip(long value) {
    return set(Abi.REGS_rip, value);
  }
}
