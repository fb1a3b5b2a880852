package dev.stubpool.guest;

import dev.stubpool.X86Register;
import dev.stubpool.X86Registers;
import dev.stubpool.nativestubs.calls.Abi;

/** The general registers of a {@link RunningGuest}, as its engine has them. */
final class GuestRegisters implements X86Registers {
  private static final int REQUESTED_PRIVILEGE = 3;
  private static final long MOST_SELECTOR = 0xffff;

  /**
   * What rflags can have in a guest: ID, AC, RF, NT, IOPL, OF, DF, IF, TF, SF, ZF, AF, PF, 1, CF
   * (Intel SDM volume 1, 3.4.3). Of these the kernel keeps its own ID, IOPL and IF.
   */
  private static final long FLAGS = 0x257fd7;

  private final RunningGuest guest;

  GuestRegisters(RunningGuest guest) {
    this.guest = guest;
  }

  @Override
  public long get(X86Register register) {
    return engine().register(offset(register));
  }

  @Override
  public X86Registers set(X86Register register, long value) {
    switch (register) {
      case RFLAGS -> checkFlags(value);
      case CS -> checkSelector("cs", value, false);
      case SS -> checkSelector("ss", value, false);
      default -> {}
    }
    engine().register(offset(register), value);
    return this;
  }

  private GuestEngine engine() {
    guest.checkUsable();
    return guest.engine();
  }

  private static int offset(X86Register register) {
    return switch (register) {
      case RAX -> Abi.REGS_rax;
      case RBX -> Abi.REGS_rbx;
      case RCX -> Abi.REGS_rcx;
      case RDX -> Abi.REGS_rdx;
      case RSI -> Abi.REGS_rsi;
      case RDI -> Abi.REGS_rdi;
      case RBP -> Abi.REGS_rbp;
      case RSP -> Abi.REGS_rsp;
      case R8 -> Abi.REGS_r8;
      case R9 -> Abi.REGS_r9;
      case R10 -> Abi.REGS_r10;
      case R11 -> Abi.REGS_r11;
      case R12 -> Abi.REGS_r12;
      case R13 -> Abi.REGS_r13;
      case R14 -> Abi.REGS_r14;
      case R15 -> Abi.REGS_r15;
      case RIP -> Abi.REGS_rip;
      case RFLAGS -> Abi.REGS_eflags;
      case CS -> Abi.REGS_cs;
      case SS -> Abi.REGS_ss;
    };
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
}
