package dev.stubpool.trace;

import dev.stubpool.StubPoolException;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.ProcessCalls;
import dev.stubpool.nativestubs.WakeSignal;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that ends waits which take too long: wait4(2) and waitid(2) have no timeout, and a
 * process that is stopped for a tracer makes no descriptor readable. There is one for the JVM.
 *
 * <p>It kills the process waited for, which ends the wait. Should the kernel hold the dying
 * process, it calls the tracer out of the wait by a signal, again at every tick until the tracer
 * has noticed: a signal that arrives just before the call blocks is lost.
 *
 * <p>It sleeps without a timeout while no deadline is armed, and looks at every tick until none is.
 *
 * <p>It also reaps what still lingers when its tracer ends.
 *
 * <p>All tracers depend on it, so it survives whatever is thrown: a tick needs no memory but for
 * what it logs, which comes last.
 */
final class Watchdog {
  private static final Logger LOG = LoggerFactory.getLogger(Watchdog.class);
  private static final long TICK_NANOS = Duration.ofMillis(200).toNanos();

  /** How long a killed process may take to be seen dead. */
  private static final long GRACE_NANOS = Duration.ofSeconds(2).toNanos();

  private static final MemorySegment SIGINFO =
      Arena.global().allocate(Abi.SIGINFO_SIZE, Long.BYTES);

  /** Never changed: replaced, under the class's monitor. */
  private static volatile Deadline[] deadlines = {};

  /** What lingered when its tracer ended, linked by its members; under the class's monitor. */
  private static Tracee inherited;

  private static final SleepFlag ASLEEP = new SleepFlag();
  private static volatile Thread thread;

  private Watchdog() {}

  /**
   * Begins to look at a deadline.
   *
   * @throws StubPoolException if the system refuses the thread that does it
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

  /** Looks at a deadline no more. */
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
    tracee.nextLingering = inherited;
    inherited = tracee;
    LockSupport.unpark(thread);
  }

  /** A deadline was armed. Wakes the thread if it sleeps, which is at most once a tick. */
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
    for (Tracee each = inherited; each != null; each = each.nextLingering) {
      if (!Tracer.killAndReap(each, SIGINFO)) {
        before = each;
      } else if (before == null) {
        inherited = each.nextLingering;
      } else {
        before.nextLingering = each.nextLingering;
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

  /** Before the kill, which may be the JVM's end (KILL_JVM); but it must not keep it from it. */
  private static void warn(Tracee target, Deadline deadline) {
    try {
      LOG.warn(
          "process {} did not stop within {}; killing it",
          target.stub().pid(),
          deadline.patience());
    } catch (OutOfMemoryError e) {
      // Unsaid: the kill needs no memory, and comes next.
    }
  }
}
