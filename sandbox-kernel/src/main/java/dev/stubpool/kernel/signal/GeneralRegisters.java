package dev.stubpool.kernel.signal;

import dev.stubpool.Guest;
import dev.stubpool.X86Registers;
import java.nio.ByteBuffer;

/** The general registers in a handler's context: {@code struct sigcontext} of x86-64. */
final class GeneralRegisters {
  /** Their size in bytes, up to cr2. */
  static final int SIZE = 23 * Long.BYTES;

  // Word indices, REG_* of <sys/ucontext.h>.
  static final int R8 = 0;
  static final int R15 = 7;
  static final int RDI = 8;
  static final int RSI = 9;
  static final int RBP = 10;
  static final int RBX = 11;
  static final int RDX = 12;
  static final int RAX = 13;
  static final int RCX = 14;
  static final int RSP = 15;
  static final int RIP = 16;
  static final int FLAGS = 17;
  static final int SELECTORS = 18;
  static final int ERROR = 19;
  static final int TRAP = 20;
  static final int OLD_MASK = 21;
  static final int CR2 = 22;

  /** The position of ss in the word of the selectors. */
  private static final int SS_SHIFT = 48;

  private static final long SELECTOR = 0xffff;
  private static final int USER_PRIVILEGE = 3;
  private static final int USER_SS = 0x2b;

  /** FIX_EFLAGS: AC, RF, OF, DF, TF, SF, ZF, AF, PF, CF. */
  private static final long RESTORED_FLAGS = 0x5_0dd5;

  private GeneralRegisters() {}

  /** Stores the registers of a guest. */
  static void save(Guest guest, CpuTrap trap, long mask, ByteBuffer to, int offset) {
    X86Registers from = guest.registers();
    long[] words = {
      from.r8(),
      from.r9(),
      from.r10(),
      from.r11(),
      from.r12(),
      from.r13(),
      from.r14(),
      from.r15(),
      from.rdi(),
      from.rsi(),
      from.rbp(),
      from.rbx(),
      from.rdx(),
      from.rax(),
      from.rcx(),
      from.rsp(),
      from.rip(),
      from.flags(),
      from.cs() | ((long) from.ss() << SS_SHIFT),
      trap.error(),
      trap.number(),
      mask,
      trap.address()
    };
    to.slice(offset, SIZE).order(to.order()).asLongBuffer().put(words);
  }

  /**
   * Loads a guest's registers from a context.
   *
   * @param strictSs whether ss is restored exactly
   * @throws IllegalArgumentException for selectors that are invalid in user mode
   */
  static void restore(Guest guest, ByteBuffer from, int offset, boolean strictSs) {
    long[] words = new long[SIZE / Long.BYTES];
    from.slice(offset, SIZE).order(from.order()).asLongBuffer().get(words);
    X86Registers to = guest.registers();
    int ss = (int) ((words[SELECTORS] >>> SS_SHIFT) & SELECTOR) | USER_PRIVILEGE;
    to.cs((int) (words[SELECTORS] & SELECTOR) | USER_PRIVILEGE)
        .ss(strictSs ? ss : USER_SS)
        .flags((to.flags() & ~RESTORED_FLAGS) | (words[FLAGS] & RESTORED_FLAGS))
        .r8(words[R8])
        .r9(words[R8 + 1])
        .r10(words[R8 + 2])
        .r11(words[R8 + 3])
        .r12(words[R8 + 4])
        .r13(words[R8 + 5])
        .r14(words[R8 + 6])
        .r15(words[R15])
        .rdi(words[RDI])
        .rsi(words[RSI])
        .rbp(words[RBP])
        .rbx(words[RBX])
        .rdx(words[RDX])
        .rax(words[RAX])
        .rcx(words[RCX])
        .rsp(words[RSP])
        .rip(words[RIP]);
  }
}
