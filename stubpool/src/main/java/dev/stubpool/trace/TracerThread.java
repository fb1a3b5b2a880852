package dev.stubpool.trace;

import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A platform thread that serves a queue of tasks: any thread offers, this one takes. ptrace(2)
 * binds a tracee to a thread, so whatever is to be done to a tracee is done here.
 *
 * <p>Sleeping: the thread looks for a while whether there is more, then raises a {@link SleepFlag},
 * looks at the queue and at its work once more, and parks; who offers looks at the flag afterwards.
 *
 * <p>All that is traced by the thread depends on it, so it survives whatever a task or a turn
 * throws, an OutOfMemoryError too, and ends only when it is told to.
 */
public final class TracerThread {
  private static final Logger LOG = LoggerFactory.getLogger(TracerThread.class);

  private static final int QUEUE_CHUNK = 1024;

  /** Tasks run before the loop's own work gets its turn. */
  private static final int MOST_TASKS_A_TURN = 256;

  /** Looks before the thread sleeps: about 30 us on an otherwise idle CPU. */
  private static final int LOOKS = 64;

  /** How many of them are for tasks alone. */
  private static final int LOOKS_FOR_TASKS = 16;

  /** A pause after an Error: what it lacked comes back by what other threads do. */
  private static final long AFTER_ERROR_NANOS = Duration.ofMillis(1).toNanos();

  /** Something to be done on the tracer thread. */
  @FunctionalInterface
  public interface Task {
    /** Does it. */
    void run();

    /** Is called instead when the thread ends first, by it or by who offers. */
    default void abandon() {}
  }

  /** The work that a tracer thread does besides its tasks. All methods run on the thread. */
  public interface Work {
    /**
     * Runs first.
     *
     * @return whether to go on; if not, {@link #end} runs next
     */
    boolean begin();

    /**
     * Runs after each turn of tasks.
     *
     * @return whether there is more to do at once
     */
    boolean turn();

    /**
     * Is told of a task or turn that failed; the thread goes on, for other stubs are not concerned.
     */
    void failed(Throwable e);

    /** Whether a turn would find nothing new; {@link #wake} tells of it. */
    boolean isIdle();

    /** How long the thread may sleep with an empty queue, in nanoseconds. */
    long patienceNanos();

    /** Runs last; once more if the JVM had no memory for it, so that it must go on where it was. */
    void end();
  }

  private final MpscUnboundedVarHandleArrayQueue<Task> queue =
      new MpscUnboundedVarHandleArrayQueue<>(QUEUE_CHUNK);
  private final Thread thread;
  private final SleepFlag asleep = new SleepFlag();
  private volatile boolean stopping;
  private volatile boolean ended;

  /** Makes a thread that is not started yet. */
  public TracerThread(String name, Work work) {
    thread = Thread.ofPlatform().daemon().name(name).unstarted(() -> run(work));
  }

  /**
   * Starts the thread.
   *
   * @throws dev.stubpool.StubPoolException if the system refuses one
   */
  public void start() {
    ThreadAdvice.start(thread);
  }

  /** Whether the caller is this thread. */
  public boolean isCurrent() {
    return Thread.currentThread() == thread;
  }

  /** Whether the thread has done its last work: a task offered now is abandoned. */
  public boolean hasEnded() {
    return ended;
  }

  /** Hands a task over: it is run, or abandoned, once or more. Any thread; never blocks. */
  public void offer(Task task) {
    queue.offer(task);
    wake();
    if (ended) {
      task.abandon(); // perhaps nobody looks at the queue any more
    }
  }

  /**
   * Has the thread look at its work, once what it is to find there is written. Of all who find it
   * asleep one makes the system call.
   */
  public void wake() {
    if (asleep.wake()) {
      LockSupport.unpark(thread);
    }
  }

  /** Lets the thread end once the task that calls this, or the turn under way, is over. */
  public void stop() {
    stopping = true;
    LockSupport.unpark(thread);
  }

  /**
   * Waits for the thread's end, at most so long; whether it has ended. An interrupt is kept for
   * later.
   */
  public boolean awaitEnd(Duration atMost) {
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
        if (!turn(work) && !seesMore(work)) {
          sleep(work);
        }
      } catch (Throwable e) {
        failed(work, e);
      }
    }
    end(work);
  }

  /** Never throws, whatever does. */
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
   * Logs a failure if there is memory to. Whoever catches an Error calls this first, with nothing
   * that takes memory: a string literal does, when it is first used.
   */
  static void report(Throwable e) {
    try {
      LOG.error("a thread that others depend on goes on after a failure", e);
    } catch (Throwable again) {
      // Logging takes memory, and the thread must go on without.
    }
  }

  private void end(Work work) {
    for (boolean first = true; !ends(work, first); first = false) {
      LockSupport.parkNanos(this, AFTER_ERROR_NANOS);
    }
    ended = true;
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

  /** False if there was no memory for it, which is reported the first time. */
  private static boolean ends(Work work, boolean first) {
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

  /** Some tasks and the work that is due; whether there may be more. */
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
   * Looks for more to do, giving the CPU away each time. Who gives a stub back often asks for
   * something next: that goes first, and the work on the stub is done beside what he does then.
   */
  private boolean seesMore(Work work) {
    for (int looks = 0; looks < LOOKS; looks++) {
      if (!queue.isEmpty() || stopping || (looks >= LOOKS_FOR_TASKS && !work.isIdle())) {
        return true;
      }
      if (!Looking.again()) {
        return false;
      }
    }
    return false;
  }

  private void sleep(Work work) {
    asleep.prepareToSleep();
    if (queue.isEmpty() && work.isIdle() && !stopping) {
      LockSupport.parkNanos(this, work.patienceNanos());
      Thread.interrupted(); // nobody's to use, and it would keep the thread from sleeping
    } else {
      Thread.yield(); // who offers may have been preempted in the middle, perhaps by this thread
    }
    asleep.awake();
  }
}
