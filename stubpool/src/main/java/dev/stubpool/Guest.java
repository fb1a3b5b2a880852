package dev.stubpool;

import java.lang.foreign.MemorySegment;

/**
 * A thread of a stub that executes the instructions in the stub's memory, and stops at every system
 * call, fault, breakpoint and interrupt ({@link Trap}). All registers are 0 at first, except the
 * segment selectors, which are those of 64-bit code. Set rip and rsp before the first {@link
 * #resume}.
 *
 * <p>A guest exists until its {@link Stub#run} returns. All methods except {@link #interrupter} may
 * be called only on the thread that runs the program, and throw {@link WrongThreadException} on
 * others. They throw {@link IllegalStateException} after the run, {@link LeaseClosedException} when
 * the stub's lease is closed, {@link StubPoolClosedException} when the pool is closed, {@link
 * GuestTimeoutException} when the run's time limit is over, and, except {@link #resume} and {@link
 * #step}, {@link StubDiedException} when the stub is dead.
 */
public interface Guest {
  /** The kind of access that a breakpoint stops at. */
  enum BreakpointKind {
    /** The instruction at the address is about to be executed; the length must be 1. */
    EXECUTE,
    /** Data were written. */
    WRITE,
    /** Data were read or written. */
    ACCESS
  }

  /** Interrupts a guest. May be used on any thread at any time, even after the guest's run. */
  interface Interrupter {
    /**
     * Makes the guest stop: {@link Guest#resume} returns {@link Trap.Interrupted} as soon as
     * possible. If the guest is not running, the next {@code resume} returns it at once. Several
     * interrupts may cause only one {@code Interrupted}.
     */
    void interrupt();
  }

  /**
   * Resumes the guest where it stopped, with the registers that were set, and waits without a limit
   * until it stops again.
   *
   * @return why the guest stopped; {@link Trap.Died} if the stub died
   */
  Trap resume();

  /**
   * Makes the guest execute one instruction.
   *
   * @return {@link Trap.Step}, or the trap that the instruction caused
   */
  Trap step();

  /**
   * Sets the result of the system call that the guest stopped at. A call that is not completed
   * before the guest is resumed has the result -ENOSYS.
   *
   * @param result the call's result, or -errno for an error; any value of rax
   * @throws IllegalStateException if the guest did not stop at a system call
   */
  void complete(long result);

  /** {@return an object that interrupts this guest from any thread} */
  Interrupter interrupter();

  /** {@return the stub whose thread this is} */
  Stub stub();

  /** {@return the stub's memory; mappings are changed by system calls in this guest's thread} */
  StubMemory memory();

  /** {@return the general registers} */
  X86Registers registers();

  /** {@return the segment bases and data segment selectors} */
  X86Segments segments();

  /**
   * A snapshot of the x87, SSE, AVX and all other extended registers, in the standard XSAVE layout
   * (Intel SDM volume 1, chapter 13). Its mxcsr is valid only if bit 1 (SSE) of XSTATE_BV is set:
   * without that bit the CPU need not store mxcsr, and it depends on the CPU whether mxcsr is
   * loaded by {@link #vectorState(MemorySegment)}.
   *
   * @return a read-only segment, whose size depends on the CPU; valid until the guest is resumed
   */
  MemorySegment vectorState();

  /**
   * Replaces the vector state.
   *
   * @param state in the layout of {@link #vectorState()}, and of the same size
   * @throws IllegalArgumentException if the kernel refuses it: another size, the compacted layout,
   *     reserved bits of mxcsr, components that the CPU does not have
   */
  void vectorState(MemorySegment state);

  /**
   * Saves all registers, to be restored in this or another guest.
   *
   * @return a copy, which does not change when the guest is resumed
   */
  GuestState save();

  /**
   * Replaces all registers by saved ones. A system call that the guest stopped at is abandoned.
   *
   * @param state the saved registers of a guest on a CPU of the same model
   * @throws IllegalArgumentException if the kernel would refuse a value: a segment base behind user
   *     space, which a guest can set itself, or the vector state of another CPU model
   */
  void restore(GuestState state);

  /**
   * Reads what the CPU reported to the kernel about a fault, which takes about 20 us. The report
   * passes through the stub's memory, so another guest that runs in the stub can forge it.
   *
   * @param fault the fault that the guest is stopped at
   * @return the CPU's report; the same for each call about one fault
   * @throws IllegalStateException if the guest is not stopped at this fault, or if a system call
   *     was made in the guest's thread before the first call of this method about it, as methods of
   *     {@link #memory} do
   */
  FaultDetails examine(Trap.Fault fault);

  /**
   * Sets a hardware breakpoint of this guest, which stops it with {@link Trap.Breakpoint}. A data
   * breakpoint stops the guest after the access. An instruction breakpoint stops it before the
   * instruction, which is executed when the guest is resumed.
   *
   * @param slot which of the four breakpoints to set, 0 to 3
   * @param address a multiple of {@code length}
   * @param kind which accesses trap
   * @param length 1, 2, 4 or 8 bytes; 1 for EXECUTE
   */
  void breakpoint(int slot, long address, BreakpointKind kind, int length);

  /**
   * Removes a breakpoint, if it is set.
   *
   * @param slot which of the four breakpoints to remove, 0 to 3
   */
  void clearBreakpoint(int slot);
}
