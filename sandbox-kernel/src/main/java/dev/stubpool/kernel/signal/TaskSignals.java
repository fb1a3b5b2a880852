package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Signal;
import java.util.function.LongConsumer;

/** What a thread has of signals: which it blocks, which wait for it alone, its other stack. */
public final class TaskSignals {
  /** SIGKILL and SIGSTOP. */
  public static final long UNBLOCKABLE = Signal.bit(Signal.SIGKILL) | Signal.bit(Signal.SIGSTOP);

  /** The smallest alternate stack. */
  private static final long MINSIGSTKSZ = 2048;

  private final PendingSignals pending = new PendingSignals();
  private final LongConsumer newlyBlocked;
  private long mask;
  private long waitedFor;

  /**
   * The mask to be restored when the call that replaced it for its time ends; see sigsuspend(2).
   */
  private Long savedMask;

  private AlternateStack stack = AlternateStack.NONE;
  private CpuTrap trap = CpuTrap.NONE;

  /**
   * Of a thread that blocks none.
   *
   * @param newlyBlocked is told which are blocked from now on that were not: another thread may
   *     have to take them
   */
  public TaskSignals(LongConsumer newlyBlocked) {
    this.newlyBlocked = newlyBlocked;
  }

  /** Those that wait for this thread alone. */
  public PendingSignals pending() {
    return pending;
  }

  /** Blocked signals. */
  public long mask() {
    return mask;
  }

  /** Blocks these, and no others. */
  public void mask(long changed) {
    long before = mask;
    mask = changed & ~UNBLOCKABLE;
    newlyBlocked.accept(mask & ~before);
  }

  /** Whether a signal is blocked. */
  public boolean blocks(int signal) {
    return (mask & Signal.bit(signal)) != 0;
  }

  /** Whether a signal is something to be done for it: it does not block it, or waits for it. */
  public boolean wants(int signal) {
    return ((~mask | waitedFor) & Signal.bit(signal)) != 0;
  }

  /** It waits for these, blocked or not, sigtimedwait(2); for none if 0. */
  public void waitsFor(long set) {
    waitedFor = set;
  }

  /** Blocks others until the call ends that wants it: until a handler's frame was made, if any. */
  public void maskForCall(long changed) {
    savedMask = mask;
    mask(changed);
  }

  /** The mask that a handler's frame restores. */
  long maskToRestore() {
    return savedMask == null ? mask : savedMask;
  }

  /**
   * A handler begins: it blocks more, and its frame restores what {@link #maskForCall} replaced.
   */
  void beginHandler(long blocked) {
    savedMask = null;
    mask(mask | blocked);
  }

  /** Ends what {@link #maskForCall} began, if no handler has. */
  public void endCall() {
    if (savedMask != null) {
      long restored = savedMask;
      savedMask = null;
      mask(restored);
    }
  }

  /** The alternate stack. */
  public AlternateStack stack() {
    return stack;
  }

  /** Sets it. */
  public void stack(AlternateStack changed) {
    stack = changed;
  }

  /**
   * sigaltstack(2).
   *
   * @param pointer the stack pointer of now
   */
  public void changeStack(AlternateStack changed, long pointer) {
    if (stack.isUsedBy(pointer)) {
      throw new ErrnoException(Errno.EPERM);
    }
    switch (changed.mode()) {
      case AlternateStack.SS_DISABLE -> stack = new AlternateStack(0, changed.flags(), 0);
      case 0, AlternateStack.SS_ONSTACK -> {
        if (Long.compareUnsigned(changed.size(), MINSIGSTKSZ) < 0) {
          throw new ErrnoException(Errno.ENOMEM);
        }
        stack = changed;
      }
      default -> throw new ErrnoException(Errno.EINVAL);
    }
  }

  /** What the CPU said last. */
  CpuTrap trap() {
    return trap;
  }

  void trap(CpuTrap last) {
    trap = last;
  }
}
