package dev.stubpool.thread;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Tells threads that offer tasks to another thread, the sleeper, whether they must unpark it.
 * Unparking is a system call; of all threads that offer during one sleep exactly one makes it.
 *
 * <pre>
 *   sleeper                         waker
 *     prepareToSleep()                queue.offer(task)
 *     if (queue.isEmpty()) park()     if (wake()) unpark(sleeper)
 *     awake()
 *     poll the queue until it is empty
 * </pre>
 *
 * <p>Memory order: the sleeper writes the flag and then reads the queue; a waker writes the queue
 * and then reads the flag; each has a full fence in between. The fences of the two are ordered: if
 * the sleeper's is first, the waker reads a raised flag; if the waker's is first, the sleeper reads
 * the task. Nothing is assumed about the memory order of the queue itself.
 *
 * <p>A waker that reads a lowered flag, or loses the CAS that lowers it, does not unpark: the
 * sleeper is awake or is being unparked by another waker, and passes the fence of {@link
 * #prepareToSleep} before it parks again. A late unpark, for a sleep that is over, ends the next
 * sleep early, which is harmless.
 */
public final class SleepFlag {
  private static final VarHandle ASLEEP;

  static {
    try {
      ASLEEP = MethodHandles.lookup().findVarHandle(SleepFlag.class, "asleep", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Raised only by the sleeper; lowered by the sleeper or by one waker. */
  @SuppressWarnings("unused") // accessed through ASLEEP
  private boolean asleep;

  /**
   * Raises the flag. Called by the sleeper, which reads the queue next and parks only if that is
   * empty.
   */
  public void prepareToSleep() {
    ASLEEP.setOpaque(this, true);
    VarHandle.fullFence(); // pairs with the fence in wake
  }

  /**
   * Whether the caller must unpark the sleeper. May be called from any thread, after its write to
   * the queue; everything that the caller reads afterwards is ordered after that write, too.
   */
  public boolean wake() {
    VarHandle.fullFence(); // pairs with the fence in prepareToSleep
    return (boolean) ASLEEP.getOpaque(this) && ASLEEP.compareAndSet(this, true, false);
  }

  /** Lowers the flag. Called by the sleeper after each sleep, however it ended. */
  public void awake() {
    ASLEEP.setOpaque(this, false);
  }
}
