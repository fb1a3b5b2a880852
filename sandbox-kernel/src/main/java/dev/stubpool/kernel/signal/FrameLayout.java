package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.signal.SignalActions.Action;

/**
 * The address and layout of a {@code struct rt_sigframe} of x86-64, arch/x86/kernel/signal.c.
 *
 * <pre>
 *   frame                                                   vectors
 *   | return address | ucontext | siginfo | up to 79 bytes | vector state |
 * </pre>
 *
 * @param frame the handler's initial stack pointer
 * @param vectors the address of the vector state
 */
record FrameLayout(long frame, long vectors) {
  static final int CONTEXT = 8;
  static final int CONTEXT_SIZE = 304;
  static final int INFO = CONTEXT + CONTEXT_SIZE;
  static final int SIZE = INFO + SignalInfo.SIZE;

  // In the context.
  static final int UC_FLAGS = 0;
  static final int UC_STACK = 16;
  static final int UC_MCONTEXT = 40;
  static final int UC_SIGMASK = 296;

  // In its uc_mcontext, after the general registers.
  static final int FPSTATE = 184;

  private static final int RED_ZONE = 128;
  private static final int VECTORS_ALIGNMENT = 64;
  private static final int STACK_ALIGNMENT = 16;

  /**
   * Chooses the address.
   *
   * @param pointer the interrupted stack pointer
   * @throws ErrnoException EFAULT if the alternate stack has no room for it
   */
  static FrameLayout place(long pointer, Action action, AlternateStack stack, int vectorSize) {
    long top = pointer - RED_ZONE;
    boolean nested = stack.isUsedBy(pointer);
    boolean entering =
        action.has(SignalActions.SA_ONSTACK) && stack.size() != 0 && !stack.isUsedBy(top);
    if (entering) {
      top = stack.start() + stack.size();
    }
    long vectors = (top - vectorSize) & -VECTORS_ALIGNMENT;
    // Aligned as if the handler had been called, which pushes the return address.
    long frame = ((vectors - SIZE) & -STACK_ALIGNMENT) - Long.BYTES;
    if ((nested || entering) && !stack.contains(frame)) {
      throw new ErrnoException(Errno.EFAULT);
    }
    return new FrameLayout(frame, vectors);
  }

  /** The total size in bytes. */
  int size(int vectorSize) {
    return Math.toIntExact(vectors - frame) + vectorSize;
  }

  /** The offset of the vector state in the frame. */
  int vectorOffset() {
    return Math.toIntExact(vectors - frame);
  }
}
