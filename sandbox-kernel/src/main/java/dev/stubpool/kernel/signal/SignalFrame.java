package dev.stubpool.kernel.signal;

import dev.stubpool.Guest;
import dev.stubpool.X86Registers;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.memory.UserMemory;
import dev.stubpool.kernel.signal.SignalActions.Action;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * A signal frame, {@code struct rt_sigframe} of x86-64: on the stack of a handler, and read by
 * sigreturn(2).
 */
public final class SignalFrame {
  /** The uc_flags: UC_FP_XSTATE, UC_SIGCONTEXT_SS and UC_STRICT_RESTORE_SS. */
  private static final long CONTEXT_FLAGS = 7;

  private static final long UC_STRICT_RESTORE_SS = 4;
  private static final int USER_CS = 0x33;
  private static final int USER_SS = 0x2b;

  /** The flags that are cleared for handlers: TF, DF and RF. */
  private static final long CLEARED_FLAGS = 0x1_0500;

  private SignalFrame() {}

  /**
   * Starts a handler in the guest; the frame holds all state that is restored on return.
   *
   * @throws ErrnoException EFAULT if the frame cannot be written; then nothing has changed
   */
  public static void push(
      Guest guest, UserMemory memory, Action action, SignalInfo info, TaskSignals signals) {
    if (!action.has(SignalActions.SA_RESTORER)) {
      throw new ErrnoException(Errno.EFAULT);
    }
    if (info.fields() instanceof SignalInfo.Fault fault) {
      signals.trap(fault.trap());
    }
    MemorySegment vectors = guest.vectorState();
    int vectorSize = VectorState.frameSize(vectors);
    FrameLayout layout =
        FrameLayout.place(guest.registers().rsp(), action, signals.stack(), vectorSize);
    ByteBuffer frame = Struct.allocate(layout.size(vectorSize));
    VectorState.save(vectors, frame, layout.vectorOffset());
    frame.putLong(0, action.restorer()).put(FrameLayout.INFO, info.bytes());
    putContext(guest, signals, layout, frame);
    memory.write(layout.frame(), frame);

    long itself = action.has(SignalActions.SA_NODEFER) ? 0 : Signal.bit(info.signal());
    signals.beginHandler(action.mask() | itself);
    if (signals.stack().disarms()) {
      signals.stack(AlternateStack.NONE);
    }
    begin(guest, action.handler(), info.signal(), layout.frame());
  }

  private static void putContext(
      Guest guest, TaskSignals signals, FrameLayout layout, ByteBuffer frame) {
    ByteBuffer context =
        frame.slice(FrameLayout.CONTEXT, FrameLayout.CONTEXT_SIZE).order(frame.order());
    AlternateStack stack = signals.stack();
    long mask = signals.maskToRestore();
    GeneralRegisters.save(guest, signals.trap(), mask, context, FrameLayout.UC_MCONTEXT);
    context
        .putLong(FrameLayout.UC_FLAGS, CONTEXT_FLAGS)
        .put(FrameLayout.UC_STACK, stack.bytes(stack.flags()))
        .putLong(FrameLayout.UC_MCONTEXT + FrameLayout.FPSTATE, layout.vectors())
        .putLong(FrameLayout.UC_SIGMASK, mask);
  }

  private static void begin(Guest guest, long handler, int signal, long frame) {
    guest.vectorState(VectorState.initial(Math.toIntExact(guest.vectorState().byteSize())));
    X86Registers registers = guest.registers();
    registers
        .rip(handler)
        .rsp(frame)
        .rdi(signal)
        .rsi(frame + FrameLayout.INFO)
        .rdx(frame + FrameLayout.CONTEXT)
        .rax(0)
        .flags(registers.flags() & ~CLEARED_FLAGS)
        .cs(USER_CS)
        .ss(USER_SS);
  }

  /**
   * sigreturn(2): restores the guest's state from its frame.
   *
   * @throws ErrnoException EFAULT for an invalid frame
   */
  public static void pop(Guest guest, UserMemory memory, TaskSignals signals) {
    long frame = guest.registers().rsp() - Long.BYTES; // the handler has returned
    ByteBuffer context =
        memory.readStructure(frame + FrameLayout.CONTEXT, FrameLayout.CONTEXT_SIZE);
    signals.mask(context.getLong(FrameLayout.UC_SIGMASK));
    long vectors = context.getLong(FrameLayout.UC_MCONTEXT + FrameLayout.FPSTATE);
    int vectorSize = Math.toIntExact(guest.vectorState().byteSize());
    boolean strictSs = Bits.any(context.getLong(FrameLayout.UC_FLAGS), UC_STRICT_RESTORE_SS);
    try {
      guest.vectorState(VectorState.read(memory, vectors, vectorSize));
      GeneralRegisters.restore(guest, context, FrameLayout.UC_MCONTEXT, strictSs);
    } catch (IllegalArgumentException _) {
      throw new ErrnoException(Errno.EFAULT);
    }
    byte[] stack = new byte[AlternateStack.SIZE];
    context.get(FrameLayout.UC_STACK, stack);
    restore(AlternateStack.parse(stack), guest, signals);
  }

  /** Restores the alternate stack; one that sigaltstack(2) refuses is ignored. */
  private static void restore(AlternateStack stack, Guest guest, TaskSignals signals) {
    try {
      signals.changeStack(stack, guest.registers().rsp());
    } catch (ErrnoException _) {
      // Ignored as in Linux.
    }
  }
}
