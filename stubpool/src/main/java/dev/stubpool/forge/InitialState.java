package dev.stubpool.forge;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ExtendedState;
import dev.stubpool.nativestubs.calls.IoVector;
import dev.stubpool.nativestubs.calls.PtraceCalls;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.ptrace.Tracee;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The registers and the signal mask that every stub starts with and is reset to. They are built
 * from constants: nothing of what the stub or the JVM had in registers remains.
 */
public final class InitialState {
  /** Debug register 7 enables the others. */
  private static final long DEBUG_CONTROL = Abi.USER_DEBUGREG + 7L * Long.BYTES;

  private final StopRunner tracer;
  private final MemorySegment vector;

  /**
   * Makes the state for this machine. The size of the vector state depends on the CPU, and the
   * kernel accepts no other.
   *
   * @param stopped any stopped tracee, whose vector state tells the size and the features; nothing
   *     else of its state is kept
   */
  InitialState(StopRunner tracer, Tracee stopped, String step) {
    this.tracer = tracer;
    Arena arena = Arena.ofAuto();
    MemorySegment state = arena.allocate(ExtendedState.MOST_BYTES, Long.BYTES);
    vector = arena.allocate(Abi.IOVEC_SIZE, Long.BYTES);
    IoVector.set(vector, 0, state.address(), state.byteSize());
    tracer.checkStopped(
        stopped,
        PtraceCalls.getRegisterSet(stopped.pid(), Abi.NT_X86_XSTATE, vector.address()),
        "GETREGSET",
        step);
    ExtendedState.initialize(state.asSlice(0, IoVector.length(vector, 0)));
  }

  /**
   * Writes vector registers (with PKRU), debug registers and the signal mask. {@link
   * StopRunner#unmapAround} resets general and segment registers.
   */
  void restore(Tracee tracee, String step) {
    int pid = tracee.pid();
    tracer.checkStopped(
        tracee,
        PtraceCalls.setRegisterSet(pid, Abi.NT_X86_XSTATE, vector.address()),
        "SETREGSET",
        step);
    tracer.checkStopped(tracee, PtraceCalls.pokeUser(pid, DEBUG_CONTROL, 0), "POKEUSER", step);
    tracer.restoreSignalMask(tracee, step);
  }
}
