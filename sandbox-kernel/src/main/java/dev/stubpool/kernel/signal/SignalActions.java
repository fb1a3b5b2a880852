package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** What a process does with each signal, sigaction(2). */
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

  /** Others are forgotten, by which programs find out what there is. */
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

  /** All at their defaults. */
  public SignalActions() {
    Arrays.fill(actions, Action.DEFAULT);
  }

  /** {@code struct sigaction} as the kernel has it. */
  public record Action(long handler, long flags, long restorer, long mask) {
    /** Bytes of one. */
    public static final int SIZE = 32;

    static final Action DEFAULT = new Action(SIG_DFL, 0, 0, 0);

    /** Reads one, as far as it can be had. */
    public static Action parse(byte[] bytes) {
      ByteBuffer words = Struct.view(bytes);
      return new Action(
          words.getLong(),
          words.getLong() & Integer.toUnsignedLong(KNOWN_FLAGS),
          words.getLong(),
          words.getLong() & ~TaskSignals.UNBLOCKABLE);
    }

    /** As a program gets it. */
    public byte[] bytes() {
      return Struct.bytes(
          Struct.allocate(SIZE).putLong(handler).putLong(flags).putLong(restorer).putLong(mask));
    }

    /** Whether the program handles it itself. */
    public boolean hasHandler() {
      return handler != SIG_DFL && handler != SIG_IGN;
    }

    /** Whether the program said to ignore it. */
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

  /** Sets it. */
  public void set(int signal, Action action) {
    actions[signal] = action;
  }

  /** A signal has its default action again; the rest of what was said of it stays. */
  public void reset(int signal) {
    Action action = of(signal);
    set(signal, new Action(SIG_DFL, action.flags(), action.restorer(), action.mask()));
  }

  /** Whether a signal that is not blocked does nothing at all. */
  public boolean ignores(int signal) {
    Action action = of(signal);
    return action.isIgnored() || (!action.hasHandler() && Signal.isIgnoredByDefault(signal));
  }

  /** Whether children that end are not to be waited for, SA_NOCLDWAIT or SIG_IGN of SIGCHLD. */
  public boolean forgetsChildren() {
    Action action = of(Signal.SIGCHLD);
    return action.isIgnored() || action.has(SA_NOCLDWAIT);
  }

  /** Has a signal do nothing. */
  public void ignore(int signal) {
    set(signal, new Action(SIG_IGN, 0, 0, 0));
  }

  /** fork(2). */
  public SignalActions copy() {
    SignalActions copy = new SignalActions();
    System.arraycopy(actions, 0, copy.actions, 0, actions.length);
    return copy;
  }

  /** execve(2): but for those that are ignored all are at their defaults again. */
  public void exec() {
    Action ignored = new Action(SIG_IGN, 0, 0, 0);
    Arrays.setAll(actions, i -> actions[i].isIgnored() ? ignored : Action.DEFAULT);
  }
}
