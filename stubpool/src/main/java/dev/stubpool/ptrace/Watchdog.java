package dev.stubpool.ptrace;

import dev.stubpool.StubPoolException;
import dev.stubpool.diagnose.ThreadAdvice;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.calls.WakeSignal;
import dev.stubpool.thread.SleepFlag;
import dev.stubpool.thread.TracerThread;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that ends waits which take too long, one for the JVM: waitid(2) has no timeout, and
 * the stop of a tracee makes no descriptor readable.
 *
 * <p>It kills the process that is waited for, which ends the wait. If the kernel holds the dying
 * process for longer, it abandons the wait: it interrupts the tracer's call by a signal, again at
 * every tick until the tracer has noticed, because a signal that arrives just before the call
 * blocks is lost.
 *
 * <p>It parks without a timeout while no deadline is armed, and otherwise checks all deadlines at
 * every tick. It also reaps the processes that are not reaped yet when their tracer ends.
 *
 * <p>All tracers depend on this thread, so it survives every Throwable; a tick allocates nothing
 * except for what it logs, and logs last.
 */
final class Watchdog {
  private static final Logger LOG = LoggerFactory.getLogger(Watchdog.class);
  private static final long TICK_NANOS = Duration.ofMillis(200).toNanos();

  /** How long a killed process may take to be seen dead. */
  private static final long GRACE_NANOS = Duration.ofSeconds(2).toNanos();

  private static final MemorySegment SIGINFO =
      Arena.global().allocate(Abi.SIGINFO_SIZE, Long.BYTES);

  /** A copy-on-write array, replaced under the class's monitor. */
  private static volatile Deadline[] deadlines = {};

  /** Processes whose tracer has ended, linked by their members; guarded by the class's monitor. */
  private static @Nullable Tracee inherited;

  private static final SleepFlag ASLEEP = new SleepFlag();
  private static volatile @Nullable Thread thread;

  private Watchdog() {}

  /**
   * Begins to enforce a deadline.
   *
   * @throws StubPoolException if the system refuses the watchdog's thread
   */
  static synchronized void watch(Deadline deadline) {
    WakeSignal.number(); // before the first wait that it may have to end
    Deadline[] more = Arrays.copyOf(deadlines, deadlines.length + 1);
    more[more.length - 1] = deadline;
    if (thread == null || !thread.isAlive()) {
      Thread fresh =
          Thread.ofPlatform().daemon().name("stubpool-watchdog").unstarted(Watchdog::run);
      ThreadAdvice.start(fresh);
      thread = fresh;
    }
    deadlines = more;
    LockSupport.unpark(thread);
  }

  /** Stops enforcing a deadline. */
  static synchronized void forget(Deadline deadline) {
    Deadline[] now = deadlines;
    int at = Arrays.asList(now).indexOf(deadline);
    if (at >= 0) {
      Deadline[] fewer = Arrays.copyOf(now, now.length - 1);
      if (at < fewer.length) {
        fewer[at] = now[now.length - 1];
      }
      deadlines = fewer;
    }
  }

  /** Takes over a process whose tracer ends: kills it again, and reaps it when it is dead. */
  static synchronized void inherit(Tracee tracee) {
    tracee.nextUnreaped = inherited;
    inherited = tracee;
    LockSupport.unpark(thread);
  }

  /** Wakes the thread if it is parked, after a deadline was armed: at most once a tick. */
  static void armed() {
    if (ASLEEP.wake()) {
      LockSupport.unpark(thread);
    }
  }

  private static void run() {
    while (true) {
      try {
        awaitWork();
        LockSupport.parkNanos(Watchdog.class, TICK_NANOS);
        reapInherited();
        Deadline[] now = deadlines;
        for (int i = 0; i < now.length; i++) { // without an iterator
          check(now[i], System.nanoTime());
        }
      } catch (Throwable e) {
        TracerThread.report(e);
      }
    }
  }

  private static void awaitWork() {
    ASLEEP.prepareToSleep();
    if (hasNothingToDo()) {
      LockSupport.park(Watchdog.class);
    }
    ASLEEP.awake();
  }

  private static synchronized boolean hasNothingToDo() {
    Deadline[] now = deadlines;
    for (int i = 0; i < now.length; i++) {
      if (now[i].expires() != Deadline.NONE) {
        return false;
      }
    }
    return inherited == null;
  }

  private static synchronized void reapInherited() {
    Tracee before = null;
    for (Tracee each = inherited; each != null; each = each.nextUnreaped) {
      if (!Reaper.killAndTryReap(each, SIGINFO)) {
        before = each;
      } else if (before == null) {
        inherited = each.nextUnreaped;
      } else {
        before.nextUnreaped = each.nextUnreaped;
      }
    }
  }

  private static void check(Deadline deadline, long now) {
    long wait = deadline.expires();
    if (wait == Deadline.NONE || now - wait < 0) {
      return;
    }
    Tracee target = deadline.target();
    if (!target.hold()) {
      return;
    }
    try {
      // Still the same wait, so target is its target, and the hold keeps its pid.
      if (deadline.expires() != wait) {
        return;
      }
      if (deadline.firstKill(wait, now)) {
        warn(target, deadline);
      }
      target.kill();
      if (now - deadline.firstKilledAt() >= GRACE_NANOS) {
        deadline.abandon(wait);
        ProcessCalls.signalThread(ProcessCalls.pid(), deadline.tid(), WakeSignal.number());
      }
    } finally {
      target.release();
    }
  }

  /**
   * Logs before the kill, which may end the JVM (KILL_JVM); a failure to log must not prevent it.
   */
  private static void warn(Tracee target, Deadline deadline) {
    try {
      LOG.warn(
          "process {} did not stop within {}; killing it",
          target.stub().pid(),
          deadline.patience());
    } catch (OutOfMemoryError e) {
      // Not logged: the kill needs no memory, and comes next.
    }
  }
}
