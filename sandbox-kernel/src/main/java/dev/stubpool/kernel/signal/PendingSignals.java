package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Signal;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/** Signals that were sent and not delivered: of a thread, or of a process. */
public final class PendingSignals {
  /** From here on one of a kind is enough: RLIMIT_SIGPENDING. */
  private static final int LIMIT = 4096;

  /** What instructions cause comes first: a handler is to find the instruction in its context. */
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
   * Adds one. Those that are not of real time, and not a timer's, wait once each.
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

  /** Whether there are so many that no more are queued. */
  public boolean isFull() {
    return size >= LIMIT;
  }

  /** Whether one of a set waits. */
  public boolean has(long some) {
    return (set & some) != 0;
  }

  /** Those that wait. */
  public long set() {
    return set;
  }

  /** Takes the first one of a set: by number, but what instructions cause first; null for none. */
  public SignalInfo take(long some) {
    long candidates = set & some;
    if (candidates == 0) {
      return null;
    }
    long first = (candidates & SYNCHRONOUS) != 0 ? candidates & SYNCHRONOUS : candidates;
    return removeFirst(first).taken();
  }

  /** Drops all of a set. */
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
