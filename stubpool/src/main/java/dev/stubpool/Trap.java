package dev.stubpool;

import java.util.OptionalLong;

/**
 * Why a guest stopped. All traps are immutable. Addresses and arguments in them are chosen by the
 * guest's code and must be checked before use.
 */
public sealed interface Trap {
  /**
   * The guest made a system call, which was not passed to the kernel. Set its result by {@link
   * Guest#complete}.
   *
   * @param number the call's number in the table of the {@code abi}, for X32 without bit 30; may be
   *     negative
   * @param abi how the call was made
   * @param instructionPointer where the guest continues: behind the instruction
   * @param argument0 the first argument; for I386 all arguments are zero-extended
   * @param argument1 the second argument
   * @param argument2 the third argument
   * @param argument3 the fourth argument; for VSYSCALL this and the following are 0
   * @param argument4 the fifth argument
   * @param argument5 the sixth argument
   */
  record SystemCall(
      int number,
      SystemCallAbi abi,
      long instructionPointer,
      long argument0,
      long argument1,
      long argument2,
      long argument3,
      long argument4,
      long argument5)
      implements Trap {
    /** The number of arguments. */
    public static final int ARGUMENTS = 6;

    /**
     * An argument by its index.
     *
     * @param index 0 to 5
     * @return the argument's value
     * @throws IndexOutOfBoundsException for another index
     */
    public long argument(int index) {
      return switch (index) {
        case 0 -> argument0;
        case 1 -> argument1;
        case 2 -> argument2;
        case 3 -> argument3;
        case 4 -> argument4;
        case 5 -> argument5;
        default -> throw new IndexOutOfBoundsException("argument " + index + " of 0 to 5");
      };
    }

    /** {@return all six arguments, in an array of the caller's own} */
    public long[] arguments() {
      return new long[] {argument0, argument1, argument2, argument3, argument4, argument5};
    }

    @Override
    public String toString() {
      return "SystemCall[%s %d(0x%x, 0x%x, 0x%x, 0x%x, 0x%x, 0x%x), rip 0x%x]"
          .formatted(
              abi,
              number,
              argument0,
              argument1,
              argument2,
              argument3,
              argument4,
              argument5,
              instructionPointer);
    }
  }

  /**
   * An instruction faulted. rip is at the instruction, so a guest that is resumed unchanged faults
   * again. (After {@code into} and {@code int 4} rip is behind the instruction.)
   *
   * @param signal SIGSEGV, SIGBUS, SIGILL or SIGFPE, see signal(7)
   * @param code si_code, see sigaction(2); SI_KERNEL (0x80) if the kernel gives no reason
   * @param address the address of the access; for SIGILL and SIGFPE the address of the instruction.
   *     Empty if the CPU does not report it: for a non-canonical address, a privileged instruction
   *     or a misaligned access
   * @param instructionPointer the address of the instruction
   * @param access the kind of access, as far as it follows from the stub's mappings at the time of
   *     the stop. If it is UNKNOWN, {@link Guest#examine} returns what the CPU reported
   */
  record Fault(int signal, int code, OptionalLong address, long instructionPointer, Access access)
      implements Trap {
    @Override
    public String toString() {
      return "Fault[signal %d, code %d, %s, rip 0x%x, %s]"
          .formatted(
              signal,
              code,
              address.isPresent()
                  ? "address 0x" + Long.toHexString(address.getAsLong())
                  : "no address",
              instructionPointer,
              access);
    }
  }

  /**
   * {@link Guest.Interrupter#interrupt} was called. May also occur without such a call, and once
   * more after an interrupt that another trap preceded.
   */
  record Interrupted() implements Trap {}

  /** One instruction was executed, by {@link Guest#step} or because the guest set its trap flag. */
  record Step() implements Trap {}

  /**
   * A breakpoint was hit: one that was set by {@link Guest#breakpoint}, or an instruction in the
   * guest's code: {@code int3}, with rip behind it, or {@code icebp}.
   *
   * <p>Like a {@link Step}, it goes unreported if another process's SIGTRAP for the guest's thread
   * (tgkill(2)) is pending at that instruction: the kernel keeps one signal of a kind (signal(7)).
   *
   * @param slots the breakpoints that were hit, one bit for each slot; 0 for an instruction
   * @param code si_code: TRAP_HWBKPT (4), TRAP_TRACE (2) if a step ended there too, SI_KERNEL
   *     (0x80) for int3, TRAP_BRKPT (1) for icebp
   */
  record Breakpoint(int slots, int code) implements Trap {}

  /**
   * The stub's process is dead.
   *
   * @param how a description, such as "killed by SIGKILL"
   */
  record Died(String how) implements Trap {}
}
