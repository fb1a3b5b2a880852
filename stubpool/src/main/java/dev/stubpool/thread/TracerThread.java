package dev.stubpool.thread;

import dev.stubpool.diagnose.ThreadAdvice;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A platform thread that traces processes: it runs tasks from a queue, and its {@link Work} between
 * them. Any thread may offer tasks. ptrace(2) binds a tracee to the thread that seized it, so every
 * operation on a tracee is a task or part of the work of its tracer thread.
 *
 * <p>When the queue is empty the thread first polls it for a while, yielding the CPU ({@link
 * SpinThenPark}). Then it raises a {@link SleepFlag}, polls the queue and the work once more, and
 * parks. Threads that offer a task read the flag after that.
 *
 * <p>Every tracee of the thread dies with it, so the thread survives whatever a task or the work
 * throws, including an OutOfMemoryError. It ends only after {@link #stop}.
 */
public final class TracerThread {
  private static final Logger LOG = LoggerFactory.getLogger(TracerThread.class);

  private static final int QUEUE_CHUNK = 1024;

  /** The most tasks that run before the thread's own work gets a turn. */
  private static final int MOST_TASKS_A_TURN = 256;

  /** How many of the first spins before a sleep poll only for tasks, not for the thread's work. */
  private static final int SPINS_FOR_TASKS = 16;

  /** The pause after an Error, in which other threads may free the memory that was missing. */
  private static final long AFTER_ERROR_NANOS = Duration.ofMillis(1).toNanos();

  /** A task for the tracer thread. */
  @FunctionalInterface
  public interface Task {
    /** Performs the task. Called on the tracer thread. */
    void run();

    /**
     * Tells the task that the thread has ended and will not run it. Called on the tracer thread or
     * on the thread that offers the task. Must have no effect if the task has run.
     */
    default void abandon() {}
  }

  /**
   * The work that a tracer thread does besides its tasks. All methods are called on that thread.
   */
  public interface Work {
    /**
     * Prepares the work. Called once, before all other methods.
     *
     * @return whether to go on; if not, {@link #end} is called next
     */
    boolean begin();

    /**
     * Does some of the work. Called after at most 256 tasks.
     *
     * @return whether there is more to do at once
     */
    boolean turn();

    /**
     * Handles what a task or {@link #turn} threw. The thread goes on afterwards, for its other
     * tracees are not concerned.
     */
    void failed(Throwable e);

    /**
     * Whether {@link #turn} would find nothing to do. A thread that makes this false calls {@link
     * #wake} afterwards.
     */
    boolean isIdle();

    /** The longest time that the thread may sleep with an empty queue, in nanoseconds. */
    long patienceNanos();

    /**
     * Ends the work. Called last. Called again after a {@link VirtualMachineError}, such as an
     * OutOfMemoryError, so it must be able to go on from where it failed.
     */
    void end();
  }

  private final MpscUnboundedVarHandleArrayQueue<Task> queue =
      new MpscUnboundedVarHandleArrayQueue<>(QUEUE_CHUNK);
  private final Thread thread;
  private final SleepFlag asleep = new SleepFlag();
  private volatile boolean stopping;
  private volatile boolean ended;

  /** Makes a thread, to be started by {@link #start}. */
  public TracerThread(String name, Work work) {
    thread = Thread.ofPlatform().daemon().name(name).unstarted(() -> run(work));
  }

  /**
   * Starts the thread.
   *
   * @throws dev.stubpool.StubPoolException if the system refuses another thread
   */
  public void start() {
    ThreadAdvice.start(thread);
  }

  /** Whether the caller is this thread. */
  public boolean isCurrent() {
    return Thread.currentThread() == thread;
  }

  /** Whether the thread has ended its work. Tasks that are offered from now on are abandoned. */
  public boolean hasEnded() {
    return ended;
  }

  /**
   * Offers a task to the thread. May be called from any thread; never blocks. The task is run or
   * abandoned. While the thread ends it may be abandoned more than once, even after it has run.
   */
  public void offer(Task task) {
    queue.offer(task);
    wake();
    if (ended) {
      task.abandon(); // the thread may have emptied the queue for the last time before
    }
  }

  /**
   * Makes the thread poll its work. May be called from any thread, after it has written what the
   * work is to find. Of all threads that find the thread asleep, one makes the system call.
   */
  public void wake() {
    if (asleep.wake()) {
      LockSupport.unpark(thread);
    }
  }

  /** Makes the thread end after the task or turn that it is performing. */
  public void stop() {
    stopping = true;
    LockSupport.unpark(thread);
  }

  /**
   * Waits for the thread's end. Interrupts do not end the wait; the interrupt status is set again
   * before the method returns.
   *
   * @return whether the thread ended within {@code atMost}
   */
  public boolean awaitEnd(Duration atMost) {
    if (thread.getState() == Thread.State.NEW) {
      return true; // whoever is about to start it stops it then
    }
    boolean interrupted = false;
    long deadline = System.nanoTime() + atMost.toNanos();
    try {
      while (true) {
        try {
          return thread.join(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void run(Work work) {
    try {
      if (!work.begin()) {
        stopping = true;
      }
    } catch (Throwable e) {
      failed(work, e);
      stopping = true;
    }
    while (!stopping) {
      try {
        if (!turn(work) && !spin(work)) {
          sleep(work);
        }
      } catch (Throwable e) {
        failed(work, e);
      }
    }
    end(work);
  }

  /** Passes a failure to the work. Never throws, even if that or the logging throws. */
  private void failed(Work work, Throwable e) {
    try {
      work.failed(e);
    } catch (Throwable again) {
      report(again);
    }
    if (e instanceof Error) {
      LockSupport.parkNanos(this, AFTER_ERROR_NANOS);
    }
  }

  /**
   * Logs a failure if there is memory for it. Code that catches an Error calls this before all
   * else, and allocates nothing before: even the first use of a string literal allocates.
   */
  public static void report(Throwable e) {
    try {
      LOG.error("a thread that others depend on goes on after a failure", e);
    } catch (Throwable again) {
      // There is no memory for logging, and the thread must go on.
    }
  }

  private void end(Work work) {
    for (boolean first = true; !tryEnd(work, first); first = false) {
      LockSupport.parkNanos(this, AFTER_ERROR_NANOS);
    }
    ended = true;
    // Orders the write of ended before the reads of the queue. In offer the write to the queue is
    // before the read of ended, with the fence of wake in between: either the task is found here,
    // or offer abandons it.
    VarHandle.fullFence();
    Task task;
    while ((task = queue.poll()) != null) {
      try {
        task.abandon();
      } catch (Throwable e) {
        report(e);
      }
    }
  }

  /** Ends the work; returns false if there was no memory for it. Logs only the first failure. */
  private static boolean tryEnd(Work work, boolean first) {
    try {
      work.end();
    } catch (VirtualMachineError e) {
      if (first) {
        report(e);
      }
      return false;
    } catch (Throwable e) {
      report(e);
    }
    return true;
  }

  /** Runs tasks, then the work; returns whether there may be more to do. */
  private boolean turn(Work work) {
    int served = 0;
    Task task;
    while (served < MOST_TASKS_A_TURN && (task = queue.relaxedPoll()) != null) {
      served++;
      task.run();
    }
    return work.turn() || served > 0;
  }

  /**
   * Polls for more to do, yielding the CPU after each poll; returns whether there is something. The
   * first polls are for tasks only: a caller that closes a lease often acquires or injects next,
   * which then goes first, and the stub is reset while the caller uses the result.
   */
  private boolean spin(Work work) {
    for (int spins = 0; spins < SpinThenPark.SPINS; spins++) {
      if (!queue.isEmpty() || stopping || (spins >= SPINS_FOR_TASKS && !work.isIdle())) {
        return true;
      }
      if (!SpinThenPark.yieldUnlessPaused()) {
        return false;
      }
    }
    return false;
  }

  private void sleep(Work work) {
    asleep.prepareToSleep();
    if (queue.isEmpty() && work.isIdle() && !stopping) {
      LockSupport.parkNanos(this, work.patienceNanos());
      Thread.interrupted(); // has no meaning here, and would keep the thread from sleeping
    } else {
      Thread.yield(); // a thread may have been preempted within offer, perhaps by this one
    }
    asleep.awake();
  }
}
