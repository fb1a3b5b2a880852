package dev.stubpool.nativestubs.calls;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.abi.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The real-time signal that calls a thread out of a blocking wait: its handler does nothing, and
 * without SA_RESTART the call returns EINTR. One a JVM, never given back.
 */
public final class WakeSignal {
  /** SIGRTMIN as glibc counts: the kernel's 32, less two that libc keeps to itself. signal(7). */
  private static final int FIRST_CANDIDATE = 35;

  private static final int LAST = 64;

  /** SIGRTMAX-2, which HotSpot uses to suspend and resume threads. */
  private static final int TAKEN_BY_THE_JDK = 62;

  private static int number;

  private WakeSignal() {}

  /**
   * The signal's number: the first real-time signal with a default disposition, taken by the first
   * call.
   */
  public static synchronized int number() {
    if (number == 0) {
      number = install();
    }
    return number;
  }

  private static int install() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment action = arena.allocate(Abi.KERNEL_SIGACTION_SIZE, Long.BYTES);
      for (int signal = FIRST_CANDIDATE; signal <= LAST; signal++) {
        if (signal == TAKEN_BY_THE_JDK) {
          continue;
        }
        check(
            Kernel.call(Abi.SYS_rt_sigaction, signal, 0, action.address(), Abi.KERNEL_SIGSET_SIZE));
        if (action.get(JAVA_LONG, Abi.KERNEL_SIGACTION_handler) != 0) {
          continue; // not SIG_DFL: somebody else's
        }
        HostText text = HostText.get();
        action.fill((byte) 0);
        action.set(
            JAVA_LONG, Abi.KERNEL_SIGACTION_handler, text.address(HostSymbols.HOST_WAKE_HANDLER));
        action.set(JAVA_LONG, Abi.KERNEL_SIGACTION_flags, Abi.SA_RESTORER);
        action.set(
            JAVA_LONG, Abi.KERNEL_SIGACTION_restorer, text.address(HostSymbols.HOST_SIGNAL_RETURN));
        check(
            Kernel.call(Abi.SYS_rt_sigaction, signal, action.address(), 0, Abi.KERNEL_SIGSET_SIZE));
        return signal;
      }
    }
    throw new NativeCallException(
        "rt_sigaction", Errno.EBUSY, "looking for an unused real-time signal");
  }

  private static void check(long result) {
    NativeCallException.check(result, "rt_sigaction", "installing the wake signal's handler");
  }
}
