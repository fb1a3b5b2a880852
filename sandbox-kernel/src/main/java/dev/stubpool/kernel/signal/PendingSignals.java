package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Signal;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/** The pending signals of a thread or a process. */
public final class PendingSignals {
  /** The limit for queued signals, like RLIMIT_SIGPENDING. */
  private static final int LIMIT = 4096;

  /**
   * Signals caused by instructions, which are delivered first so that a handler's context shows the
   * instruction.
   */
  private static final long SYNCHRONOUS =
      Signal.bit(Signal.SIGSEGV)
          | Signal.bit(Signal.SIGBUS)
          | Signal.bit(Signal.SIGILL)
          | Signal.bit(Signal.SIGTRAP)
          | Signal.bit(Signal.SIGFPE)
          | Signal.bit(Signal.SIGSYS);

  private final Map<Integer, Deque<SignalInfo>> queues = new HashMap<>();
  private long set;
  private int size;

  /**
   * Adds a signal. Standard signals that are not a timer's are pending at most once.
   *
   * @return false if it was dropped
   */
  public boolean add(SignalInfo info) {
    long bit = Signal.bit(info.signal());
    boolean queued = info.signal() >= Signal.SIGRTMIN || info.source() != null;
    if (has(bit) && (!queued || isFull())) {
      return false;
    }
    queues.computeIfAbsent(info.signal(), _ -> new ArrayDeque<>()).add(info);
    set |= bit;
    size++;
    return true;
  }

  /** Whether the limit for queued signals is reached. */
  public boolean isFull() {
    return size >= LIMIT;
  }

  /** Whether a signal of a set is pending. */
  public boolean has(long some) {
    return (set & some) != 0;
  }

  /** The set of pending signals. */
  public long set() {
    return set;
  }

  /**
   * Takes the first pending signal of a set: those caused by instructions first, then by number;
   * null if there is none.
   */
  public SignalInfo take(long some) {
    long candidates = set & some;
    if (candidates == 0) {
      return null;
    }
    long first = (candidates & SYNCHRONOUS) != 0 ? candidates & SYNCHRONOUS : candidates;
    return removeFirst(first).taken();
  }

  /** Drops all pending signals of a set. */
  public void drop(long some) {
    while (has(some)) {
      SignalInfo _ = removeFirst(set & some).taken();
    }
  }

  private SignalInfo removeFirst(long some) {
    int signal = Long.numberOfTrailingZeros(some) + 1;
    Deque<SignalInfo> queue = queues.get(signal);
    SignalInfo info = queue.remove();
    size--;
    if (queue.isEmpty()) {
      set &= ~Signal.bit(signal);
    }
    return info;
  }
}
