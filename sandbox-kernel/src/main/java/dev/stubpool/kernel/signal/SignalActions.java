package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** The signal dispositions of a process, sigaction(2). */
public final class SignalActions {
  public static final int SA_NOCLDSTOP = 1;
  public static final int SA_NOCLDWAIT = 2;
  public static final int SA_SIGINFO = 4;
  public static final int SA_EXPOSE_TAGBITS = 0x800;
  public static final int SA_RESTORER = 0x0400_0000;
  public static final int SA_ONSTACK = 0x0800_0000;
  public static final int SA_RESTART = 0x1000_0000;
  public static final int SA_NODEFER = 0x4000_0000;
  public static final int SA_RESETHAND = 0x8000_0000;

  /** The supported flags; others are cleared, by which programs detect support. */
  private static final int KNOWN_FLAGS =
      SA_NOCLDSTOP
          | SA_NOCLDWAIT
          | SA_SIGINFO
          | SA_EXPOSE_TAGBITS
          | SA_RESTORER
          | SA_ONSTACK
          | SA_RESTART
          | SA_NODEFER
          | SA_RESETHAND;

  private static final long SIG_DFL = 0;
  private static final long SIG_IGN = 1;

  private final Action[] actions = new Action[Signal.SIGRTMAX + 1];

  /** Creates default dispositions. */
  public SignalActions() {
    Arrays.fill(actions, Action.DEFAULT);
  }

  /** The kernel's {@code struct sigaction}. */
  public record Action(long handler, long flags, long restorer, long mask) {
    /** The size of the structure in bytes. */
    public static final int SIZE = 32;

    static final Action DEFAULT = new Action(SIG_DFL, 0, 0, 0);

    /** Parses a structure, and drops unsupported flags. */
    public static Action parse(byte[] bytes) {
      ByteBuffer words = Struct.view(bytes);
      return new Action(
          words.getLong(),
          words.getLong() & Integer.toUnsignedLong(KNOWN_FLAGS),
          words.getLong(),
          words.getLong() & ~TaskSignals.UNBLOCKABLE);
    }

    /** The structure for the program. */
    public byte[] bytes() {
      return Struct.bytes(
          Struct.allocate(SIZE).putLong(handler).putLong(flags).putLong(restorer).putLong(mask));
    }

    /** Whether the program has a handler. */
    public boolean hasHandler() {
      return handler != SIG_DFL && handler != SIG_IGN;
    }

    /** Whether it is SIG_IGN. */
    public boolean isIgnored() {
      return handler == SIG_IGN;
    }

    /** Whether a flag SA_* is set. */
    public boolean has(int flag) {
      return (flags & Integer.toUnsignedLong(flag)) != 0;
    }
  }

  /** The action for a signal. */
  public Action of(int signal) {
    return actions[signal];
  }

  /** Sets the action for a signal. */
  public void set(int signal, Action action) {
    actions[signal] = action;
  }

  /** Resets a signal's handler to the default; flags and mask are kept. */
  public void reset(int signal) {
    Action action = of(signal);
    set(signal, new Action(SIG_DFL, action.flags(), action.restorer(), action.mask()));
  }

  /** Whether a signal is ignored, explicitly or by default. */
  public boolean ignores(int signal) {
    Action action = of(signal);
    return action.isIgnored() || (!action.hasHandler() && Signal.isIgnoredByDefault(signal));
  }

  /** Whether children are reaped automatically, by SA_NOCLDWAIT or SIG_IGN of SIGCHLD. */
  public boolean forgetsChildren() {
    Action action = of(Signal.SIGCHLD);
    return action.isIgnored() || action.has(SA_NOCLDWAIT);
  }

  /** Sets a signal to SIG_IGN. */
  public void ignore(int signal) {
    set(signal, new Action(SIG_IGN, 0, 0, 0));
  }

  /** Copies the dispositions, fork(2). */
  public SignalActions copy() {
    SignalActions copy = new SignalActions();
    System.arraycopy(actions, 0, copy.actions, 0, actions.length);
    return copy;
  }

  /** execve(2): resets all dispositions to the default, except ignored signals. */
  public void exec() {
    Action ignored = new Action(SIG_IGN, 0, 0, 0);
    Arrays.setAll(actions, i -> actions[i].isIgnored() ? ignored : Action.DEFAULT);
  }
}
