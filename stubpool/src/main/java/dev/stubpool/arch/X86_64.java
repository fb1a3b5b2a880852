package dev.stubpool.arch;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.nativestubs.calls.Abi;
import java.lang.foreign.MemorySegment;

/** x86-64: {@code struct user_regs_struct} of sys/user.h. */
final class X86_64 implements Architecture {
  static final Architecture INSTANCE = new X86_64();

  /**
   * Selectors of Linux for 64-bit code and for data in user space, arch/x86/include/asm/segment.h.
   */
  private static final long USER_CODE_SEGMENT = 0x33;

  private static final long USER_DATA_SEGMENT = 0x2b;

  /** Interrupts enabled (bit 9), and bit 1, which is always set. Intel SDM volume 1, 3.4.3. */
  private static final long FLAGS = 0x202;

  private static final RegisterLayout REGISTERS =
      new RegisterLayout(
          Abi.REGS_SIZE,
          Abi.REGS_rax,
          Abi.REGS_rax,
          Abi.REGS_orig_rax,
          Abi.REGS_rip,
          Abi.REGS_rdi,
          Abi.REGS_rsi,
          Abi.REGS_rdx,
          Abi.REGS_r10,
          Abi.REGS_r8,
          Abi.REGS_r9);

  private static final EntryArguments ENTRIES =
      new EntryArguments(
          new EntryArguments.FirstCall(Abi.REGS_rbx, Abi.REGS_r12, Abi.REGS_r13, Abi.REGS_r14),
          new EntryArguments.CloneMany(Abi.REGS_rbx, Abi.REGS_r12, Abi.REGS_r13),
          new EntryArguments.UnmapAround(Abi.REGS_rdi, Abi.REGS_rsi, Abi.REGS_r12, Abi.REGS_r13));

  private X86_64() {}

  @Override
  public RegisterLayout registers() {
    return REGISTERS;
  }

  @Override
  public EntryArguments entries() {
    return ENTRIES;
  }

  @Override
  public void fillInitial(MemorySegment registers) {
    registers.fill((byte) 0);
    registers.set(JAVA_LONG, Abi.REGS_cs, USER_CODE_SEGMENT);
    registers.set(JAVA_LONG, Abi.REGS_ss, USER_DATA_SEGMENT);
    registers.set(JAVA_LONG, Abi.REGS_eflags, FLAGS);
  }
}
