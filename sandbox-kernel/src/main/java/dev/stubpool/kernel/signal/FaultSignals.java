package dev.stubpool.kernel.signal;

import dev.stubpool.Access;
import dev.stubpool.FaultDetails;
import dev.stubpool.Guest;
import dev.stubpool.Trap;
import dev.stubpool.kernel.abi.Signal;

/** Creates the signals that are caused by a guest's instructions. */
public final class FaultSignals {
  private static final int SEGV_ACCERR = 2;
  private static final int TRAP_TRACE = 2;
  private static final int DEBUG_EXCEPTION = 1;
  private static final int BREAKPOINT_EXCEPTION = 3;
  private static final int PAGE_FAULT = 14;

  // The error code of a page fault, Intel SDM volume 3, 4.7.
  private static final long PRESENT = 1;
  private static final long WRITE = 2;
  private static final long USER = 4;
  private static final long FETCH = 16;

  private FaultSignals() {}

  /**
   * The signal for a fault.
   *
   * @param handled whether a handler will see the CPU's description of the fault
   */
  public static SignalInfo of(Guest guest, Trap.Fault fault, boolean handled) {
    CpuTrap trap = handled ? trap(guest, fault) : CpuTrap.NONE;
    return SignalInfo.ofFault(fault.signal(), fault.code(), fault.address().orElse(0L), trap);
  }

  private static CpuTrap trap(Guest guest, Trap.Fault fault) {
    Access access = fault.access();
    if (access == Access.UNKNOWN) {
      FaultDetails details = guest.examine(fault);
      return new CpuTrap(details.trap(), details.error(), details.address());
    }
    long present = fault.code() == SEGV_ACCERR ? PRESENT : 0;
    long kind =
        switch (access) {
          case WRITE -> WRITE;
          case EXECUTE -> FETCH;
          case READ, UNKNOWN -> 0;
        };
    return new CpuTrap(PAGE_FAULT, USER | present | kind, fault.address().orElse(0L));
  }

  /** The signal for a breakpoint. */
  public static SignalInfo of(Trap.Breakpoint breakpoint) {
    boolean instruction = breakpoint.code() == SignalInfo.SI_KERNEL;
    CpuTrap trap = new CpuTrap(instruction ? BREAKPOINT_EXCEPTION : DEBUG_EXCEPTION, 0, 0);
    return SignalInfo.ofFault(Signal.SIGTRAP, breakpoint.code(), 0, trap);
  }

  /** The signal for a single step, which a guest can request by its trap flag. */
  public static SignalInfo ofStep(Guest guest) {
    CpuTrap trap = new CpuTrap(DEBUG_EXCEPTION, 0, 0);
    return SignalInfo.ofFault(Signal.SIGTRAP, TRAP_TRACE, guest.registers().rip(), trap);
  }
}
