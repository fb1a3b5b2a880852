package dev.stubpool.trace;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.ExtendedState;
import dev.stubpool.nativestubs.IoVector;
import dev.stubpool.nativestubs.PtraceCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The registers and the signal mask of a stub that never ran: constants, whatever the stub had
 * before. All stubs start from it and go back to it.
 */
final class InitialState {
  private static final long USER_CODE_SEGMENT = 0x33;
  private static final long USER_DATA_SEGMENT = 0x2b;
  private static final long FLAGS = 0x202;

  /** Debug register 7 enables the others. */
  private static final long DEBUG_CONTROL = Abi.USER_DEBUGREG + 7L * Long.BYTES;

  private final Tracer tracer;
  private final MemorySegment vector;
  private final MemorySegment signalMask;

  /** Fills general and segment registers: all 0, but for what 64-bit code needs. */
  static void fillGeneral(MemorySegment registers) {
    registers.fill((byte) 0);
    registers.set(JAVA_LONG, Abi.REGS_cs, USER_CODE_SEGMENT);
    registers.set(JAVA_LONG, Abi.REGS_ss, USER_DATA_SEGMENT);
    registers.set(JAVA_LONG, Abi.REGS_eflags, FLAGS);
  }

  /**
   * Makes the state for this machine: the size of the vector state is the CPU's, and the kernel
   * takes exactly that.
   *
   * @param stopped any stopped tracee, asked for the layout; nothing else of its state is kept
   */
  InitialState(Tracer tracer, Tracee stopped, String step) {
    this.tracer = tracer;
    Arena arena = Arena.ofAuto();
    MemorySegment state = arena.allocate(ExtendedState.MOST_BYTES, Long.BYTES);
    vector = arena.allocate(Abi.IOVEC_SIZE, Long.BYTES);
    signalMask = arena.allocate(JAVA_LONG);
    signalMask.set(JAVA_LONG, 0, Abi.STUB_SIGNAL_MASK);
    IoVector.set(vector, 0, state.address(), state.byteSize());
    tracer.checkStopped(
        stopped,
        PtraceCalls.getRegisterSet(stopped.pid(), Abi.NT_X86_XSTATE, vector.address()),
        "GETREGSET",
        step);
    ExtendedState.initialize(state.asSlice(0, IoVector.length(vector, 0)));
  }

  /**
   * Vector (with PKRU) and debug registers, and the signal mask. General and segment registers are
   * {@link Tracer#unmapAround}'s.
   */
  void restore(Tracee tracee, String step) {
    int pid = tracee.pid();
    tracer.checkStopped(
        tracee,
        PtraceCalls.setRegisterSet(pid, Abi.NT_X86_XSTATE, vector.address()),
        "SETREGSET",
        step);
    tracer.checkStopped(tracee, PtraceCalls.pokeUser(pid, DEBUG_CONTROL, 0), "POKEUSER", step);
    tracer.checkStopped(
        tracee, PtraceCalls.setSignalMask(pid, signalMask.address()), "SETSIGMASK", step);
  }
}
