package dev.stubpool.trace;

import dev.stubpool.nativestubs.ProcessCalls;
import dev.stubpool.nativestubs.WakeSignal;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that ends waits which take too long: wait4(2) and waitid(2) have no timeout, and a
 * process that is stopped for a tracer makes no descriptor readable.
 *
 * <p>It kills the process waited for, which ends the wait. Should the kernel hold the dying
 * process, it calls the tracer out of the wait by a signal, again at every tick until the tracer
 * has noticed: a signal that arrives just before the call blocks is lost.
 *
 * <p>It sleeps without a timeout while no deadline is armed, and looks at every tick until none is.
 */
final class Watchdog {
  private static final Logger LOG = LoggerFactory.getLogger(Watchdog.class);
  private static final long TICK_NANOS = Duration.ofMillis(200).toNanos();

  /** How long a killed process may take to be seen dead. */
  private static final long GRACE_NANOS = Duration.ofSeconds(2).toNanos();

  private static final List<Deadline> DEADLINES = new CopyOnWriteArrayList<>();
  private static final SleepFlag ASLEEP = new SleepFlag();
  private static volatile Thread thread;

  private Watchdog() {}

  static void watch(Deadline deadline) {
    DEADLINES.add(deadline);
    synchronized (Watchdog.class) {
      if (thread == null) {
        WakeSignal.number(); // before the first wait that it may have to end
        thread = Thread.ofPlatform().daemon().name("stubpool-watchdog").start(Watchdog::run);
      }
      LockSupport.unpark(thread);
    }
  }

  static void forget(Deadline deadline) {
    DEADLINES.remove(deadline);
  }

  /** A deadline was armed. Wakes the thread if it sleeps, which is at most once a tick. */
  static void armed() {
    if (ASLEEP.wake()) {
      LockSupport.unpark(thread);
    }
  }

  private static void awaitArmed() {
    ASLEEP.prepareToSleep();
    if (!isAnyArmed()) {
      LockSupport.park(DEADLINES);
    }
    ASLEEP.awake();
  }

  private static boolean isAnyArmed() {
    for (Deadline deadline : DEADLINES) {
      if (deadline.expires() != Deadline.NONE) {
        return true;
      }
    }
    return false;
  }

  private static void run() {
    while (true) {
      awaitArmed();
      LockSupport.parkNanos(DEADLINES, TICK_NANOS);
      for (Deadline deadline : DEADLINES) {
        try {
          check(deadline, System.nanoTime());
        } catch (RuntimeException e) {
          LOG.error("the watchdog goes on after a failure", e);
        }
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
        LOG.warn(
            "process {} did not stop within {}; killing it", target.pid(), deadline.patience());
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
}
