package dev.stubpool.guest;

import dev.stubpool.FaultDetails;
import java.lang.foreign.MemorySegment;

/**
 * What runs one guest thread and reports its stops. All methods are for the guest's tracer thread,
 * except {@link #interrupt}; all but {@link #resume} and {@link #end} throw {@link
 * dev.stubpool.StubDiedException} when the stub is dead.
 *
 * <p>State is read when it is asked for, and what was set is written when the guest goes on.
 */
public interface GuestEngine {
  /** Why a guest does not run. */
  enum Stop {
    /** It is about to make a system call: {@link #number}, {@link #argument}. */
    SYSTEM_CALL,
    /** It called a function of the vsyscall page, which has no instruction to stop at. */
    VSYSCALL,
    /** A fault: {@link #signal}, {@link #code}, {@link #address}. */
    FAULT,
    /** One instruction was executed, or the guest has set the trap flag. */
    STEP,
    /** A breakpoint instruction or a debug register: {@link #code}, {@link #breakpoints}. */
    BREAKPOINT,
    /** {@link #interrupt} was called. */
    INTERRUPTED,
    /** The process is dead. */
    DIED
  }

  // ---- running ----

  /**
   * Lets the guest run until it stops, for as long as that takes.
   *
   * @param oneInstruction whether to stop after one instruction at the latest
   */
  Stop resume(boolean oneInstruction);

  /**
   * Has the guest stop, or the next {@link #resume} return, as soon as possible. May be called from
   * any thread, also after {@link #end}.
   */
  void interrupt();

  /** Ends the guest's thread; the process goes on. */
  void end();

  // ---- the last stop ----

  /** The number of a system call; for i386 calls the low half of eax. */
  int number();

  /** AUDIT_ARCH_X86_64 or AUDIT_ARCH_I386, linux/audit.h. */
  int architecture();

  /**
   * An argument of a system call, as the register has it.
   *
   * @param index 0 to 5
   */
  long argument(int index);

  /** The address behind the instruction that makes the system call. */
  long callAddress();

  /** The number of a vsyscall. */
  int vsyscallNumber();

  /** The signal of a fault. */
  int signal();

  /** si_code of a fault or a trap, sigaction(2). */
  int code();

  /** si_addr of a fault, sigaction(2). */
  long address();

  /** Which debug registers were hit at the last breakpoint, one bit each. */
  int breakpoints();

  // ---- state ----

  /**
   * A register of the guest.
   *
   * @param offset in {@code struct user_regs_struct}, sys/user.h
   */
  long register(int offset);

  /**
   * Sets a register; the caller has checked that the kernel accepts the value.
   *
   * @param offset in {@code struct user_regs_struct}, sys/user.h
   */
  void register(int offset, long value);

  /** Sets the result of the system call that the guest is stopped at. */
  void result(long value);

  /**
   * The vector state in the standard XSAVE layout: a view that is valid until the guest goes on.
   */
  MemorySegment vectorState();

  /**
   * Replaces the vector state at once.
   *
   * @return false if the kernel refused it: reserved bits in mxcsr, components that the CPU does
   *     not have, the compacted layout, or another size
   */
  boolean vectorState(MemorySegment state);

  /**
   * Writes a debug register at once.
   *
   * @param index 0 to 3, or 7 for the control register
   */
  void debugRegister(int index, long value);

  // ---- work in the stopped guest ----

  /**
   * Runs a system call in the stopped thread. The guest's state stays as it is.
   *
   * @return the kernel's result, -errno in [-4095, -1]
   */
  long inject(int number, long a, long b, long c, long d, long e, long f);

  /**
   * Reads what the CPU told the kernel about the fault that the guest is stopped for. The place for
   * a signal frame ({@link dev.stubpool.nativestubs.calls.Abi#STUB_FRAME_OFFSET}) must be mapped.
   */
  FaultDetails examine();
}
