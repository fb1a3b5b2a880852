package dev.stubpool.trace;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Whether a thread sleeps, for those who hand it tasks: of all that do during one sleep exactly one
 * is to unpark it, which is a system call, and the others go on at once.
 *
 * <pre>
 *   sleeper                         waker
 *     prepareToSleep()                queue.offer(task)
 *     if (queue.isEmpty()) park()     if (wake()) unpark(sleeper)
 *     awake()
 *     take all from the queue
 * </pre>
 *
 * <p>Memory order: the sleeper writes the flag and reads the queue, the waker writes the queue and
 * reads the flag, each with a full fence between. Of two fences one is the first: if it is the
 * sleeper's, the waker sees the flag up; if it is the waker's, the sleeper sees the task. The
 * fences are all that is relied on, whatever the queue's own order is.
 *
 * <p>A waker that finds the flag down, or loses the CAS to lower it, leaves the task to a sleeper
 * that is being unparked or is awake. Either way the sleeper passes the fence of {@link
 * #prepareToSleep} before it parks again. An unpark that comes late, for a sleep that is over, ends
 * the next one early and does no harm.
 */
final class SleepFlag {
  private static final VarHandle ASLEEP;

  static {
    try {
      ASLEEP = MethodHandles.lookup().findVarHandle(SleepFlag.class, "asleep", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Raised by the sleeper alone, lowered by it or by one waker. */
  @SuppressWarnings("unused") // but through ASLEEP
  private boolean asleep;

  /**
   * Raises the flag. The sleeper's; it looks at the queue next, and parks only if that is empty.
   */
  void prepareToSleep() {
    ASLEEP.setOpaque(this, true);
    VarHandle.fullFence(); // pairs with wake's
  }

  /**
   * Whether the caller must unpark the sleeper. Any thread, after its write to the queue; all that
   * it reads afterwards is ordered after that write, too.
   */
  boolean wake() {
    VarHandle.fullFence(); // pairs with prepareToSleep's
    return (boolean) ASLEEP.getOpaque(this) && ASLEEP.compareAndSet(this, true, false);
  }

  /** Lowers the flag. The sleeper's, however its sleep ended. */
  void awake() {
    ASLEEP.setOpaque(this, false);
  }
}
