package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.signal.SignalActions.Action;

/**
 * Where a {@code struct rt_sigframe} of x86-64 is put, arch/x86/kernel/signal.c, and what is where
 * in it.
 *
 * <pre>
 *   frame                                                   vectors
 *   | return address | ucontext | siginfo | up to 79 bytes | vector state |
 * </pre>
 *
 * @param frame the stack pointer that the handler begins with
 * @param vectors where the vector state is
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

  // In its uc_mcontext, behind the general registers.
  static final int FPSTATE = 184;

  private static final int RED_ZONE = 128;
  private static final int VECTORS_ALIGNMENT = 64;
  private static final int STACK_ALIGNMENT = 16;

  /**
   * Chooses the place.
   *
   * @param pointer the stack pointer of what is interrupted
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
    // As if the handler had been called: it is the return address that is not aligned.
    long frame = ((vectors - SIZE) & -STACK_ALIGNMENT) - Long.BYTES;
    if ((nested || entering) && !stack.contains(frame)) {
      throw new ErrnoException(Errno.EFAULT);
    }
    return new FrameLayout(frame, vectors);
  }

  /** Bytes of all. */
  int size(int vectorSize) {
    return Math.toIntExact(vectors - frame) + vectorSize;
  }

  /** Where the vector state is in these. */
  int vectorOffset() {
    return Math.toIntExact(vectors - frame);
  }
}
