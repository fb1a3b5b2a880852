package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Signal;
import java.util.function.LongConsumer;

/** The signal state of a thread: its mask, its pending signals and its alternate stack. */
public final class TaskSignals {
  /** The signals that cannot be blocked: SIGKILL and SIGSTOP. */
  public static final long UNBLOCKABLE = Signal.bit(Signal.SIGKILL) | Signal.bit(Signal.SIGSTOP);

  /** The smallest alternate stack. */
  private static final long MINSIGSTKSZ = 2048;

  private final PendingSignals pending = new PendingSignals();
  private final LongConsumer newlyBlocked;
  private long mask;
  private long waitedFor;

  /** The mask to restore after a call that has replaced it temporarily, such as sigsuspend(2). */
  private Long savedMask;

  private AlternateStack stack = AlternateStack.NONE;
  private CpuTrap trap = CpuTrap.NONE;

  /**
   * Creates the state of a thread that blocks no signals.
   *
   * @param newlyBlocked receives newly blocked signals, which another thread may have to take
   */
  public TaskSignals(LongConsumer newlyBlocked) {
    this.newlyBlocked = newlyBlocked;
  }

  /** The signals pending for this thread. */
  public PendingSignals pending() {
    return pending;
  }

  /** The signal mask. */
  public long mask() {
    return mask;
  }

  /** Sets the signal mask. */
  public void mask(long changed) {
    long before = mask;
    mask = changed & ~UNBLOCKABLE;
    newlyBlocked.accept(mask & ~before);
  }

  /** Whether a signal is blocked. */
  public boolean blocks(int signal) {
    return (mask & Signal.bit(signal)) != 0;
  }

  /** Whether a pending signal concerns it: it does not block the signal, or waits for it. */
  public boolean wants(int signal) {
    return ((~mask | waitedFor) & Signal.bit(signal)) != 0;
  }

  /** Sets the signals for which it waits, blocked or not, sigtimedwait(2); 0 for none. */
  public void waitsFor(long set) {
    waitedFor = set;
  }

  /**
   * Replaces the mask until the current call ends; if a handler runs, until its frame was written.
   */
  public void maskForCall(long changed) {
    savedMask = mask;
    mask(changed);
  }

  /** The mask to be stored in a handler's frame. */
  long maskToRestore() {
    return savedMask == null ? mask : savedMask;
  }

  /**
   * Called when a handler starts: blocks further signals. The handler's frame restores the mask
   * that {@link #maskForCall} replaced.
   */
  void beginHandler(long blocked) {
    savedMask = null;
    mask(mask | blocked);
  }

  /** Restores the mask replaced by {@link #maskForCall}, unless a handler was started. */
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
   * @param pointer the current stack pointer
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

  /** The CPU's description of the last fault. */
  CpuTrap trap() {
    return trap;
  }

  void trap(CpuTrap last) {
    trap = last;
  }
}
