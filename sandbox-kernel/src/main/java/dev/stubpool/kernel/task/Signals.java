package dev.stubpool.kernel.task;

import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.abi.Struct;
import java.util.OptionalInt;

/**
 * What a program said of its signals, and which wait for it, signal(7). Handlers are remembered,
 * not run yet: a signal with a handler ends the program as one without.
 */
public final class Signals {
  /** Bytes of the kernel's {@code struct sigaction}: handler, flags, restorer, mask. */
  public static final int ACTION_SIZE = 32;

  /** Bytes of a {@code stack_t}. */
  public static final int STACK_SIZE = 24;

  private static final int SS_DISABLE = 2;
  private static final long SIG_DFL = 0;
  private static final long SIG_IGN = 1;
  private static final long UNBLOCKABLE = Signal.bit(Signal.SIGKILL) | Signal.bit(Signal.SIGSTOP);

  private final byte[][] actions = new byte[Signal.SIGRTMAX + 1][ACTION_SIZE];
  private byte[] stack = new byte[STACK_SIZE];
  private long mask;
  private long pending;

  /** No handlers, nothing blocked. */
  public Signals() {
    stack[Long.BYTES] = SS_DISABLE;
  }

  /** The {@code struct sigaction} of a signal. */
  public byte[] action(int signal) {
    return actions[signal].clone();
  }

  /** Sets it. */
  public void action(int signal, byte[] action) {
    actions[signal] = action.clone();
  }

  /** The alternate stack, a {@code stack_t}. */
  public byte[] stack() {
    return stack.clone();
  }

  /** Sets it. */
  public void stack(byte[] changed) {
    stack = changed.clone();
  }

  /** Blocked signals. */
  public long mask() {
    return mask;
  }

  /** Blocks these, and no others. */
  public void mask(long changed) {
    mask = changed & ~UNBLOCKABLE;
  }

  /** Sends a signal. */
  public void send(int signal) {
    if (!isIgnored(signal)) {
      pending |= Signal.bit(signal);
    }
  }

  private boolean isIgnored(int signal) {
    long handler = handler(signal);
    return handler == SIG_IGN || (handler == SIG_DFL && Signal.isHarmless(signal));
  }

  private long handler(int signal) {
    return Struct.view(actions[signal]).getLong();
  }

  /** Whether the program wants to handle a signal itself. */
  public boolean hasHandler(int signal) {
    return handler(signal) != SIG_DFL && handler(signal) != SIG_IGN;
  }

  /** The signal that ends the program now, if any. */
  public OptionalInt fatal() {
    long deliverable = pending & ~mask;
    return deliverable == 0
        ? OptionalInt.empty()
        : OptionalInt.of(Long.numberOfTrailingZeros(deliverable) + 1);
  }
}
