package dev.stubpool.ptrace;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.stubpool.StubDiedException;
import dev.stubpool.abi.Errno;
import dev.stubpool.abi.Signals;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.calls.WaitCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for the deaths of a thread's tracees and reaps them: the only place that frees a pid,
 * besides the {@link Watchdog} for what is left when a tracer ends. Confined to the tracer thread,
 * except {@link #unreaped}.
 *
 * <p>A dead process is reaped only when no other thread holds its pid ({@link Tracee#hold}), and
 * its threads before the process: the kernel does not report the death of a process whose other
 * threads are traced and not reaped. A guest's thread is reaped by its own tracer, or by the tracer
 * that reaps its process, whichever finds it dead first.
 *
 * <p>A tracee is <em>settled</em> when the pool need not count it any more: it is reaped, or it is
 * in the list of processes that are killed and cannot be reaped yet, because the kernel holds them
 * or another thread holds the pid. That list is tried again at every sweep.
 *
 * <p>Settling needs no memory: the lists are linked by their members, and an Error leaves the
 * tracee where the next attempt finds it.
 */
public final class Reaper {
  private static final Logger LOG = LoggerFactory.getLogger(Reaper.class);

  /** Polls for a death before a wait blocks. */
  private static final int POLLS = 64;

  /** A wait that must not block sleeps for a quarter of the time that it has lasted. */
  private static final int SLEEP_DIVISOR = 4;

  private static final long MOST_SLEEP_NANOS = Duration.ofMillis(1).toNanos();
  private static final String STEP = "waiting for its end";

  private final MemorySegment pidWord;
  private final MemorySegment siginfo;
  private final Deadline deadline;
  private final Consumer<Tracee> deathListener;

  /** Settled processes that are not reaped yet. */
  private @Nullable Tracee unreaped;

  private final AtomicInteger unreapedCount = new AtomicInteger();

  /** Stubs that have guests, or had some at the last look. */
  private final List<Tracee> withGuests = new ArrayList<>();

  /** Settled tracees that the listener was not told of yet. */
  private @Nullable Tracee untold;

  /**
   * Makes the reaper of the calling thread.
   *
   * @param arena that its memory is allocated from, and that outlives it
   * @param deadline of the calling thread's waits
   * @param deathListener is told of each tracee that is settled; again if an Error kept it from
   *     completing
   */
  Reaper(Arena arena, Deadline deadline, Consumer<Tracee> deathListener) {
    this.pidWord = arena.allocate(Integer.BYTES, Long.BYTES);
    this.siginfo = arena.allocate(Abi.SIGINFO_SIZE, Long.BYTES);
    this.deadline = deadline;
    this.deathListener = deathListener;
  }

  // ---- processes ----

  /** Kills a tracee, whatever it does, and reaps it. */
  public void killAndReap(Tracee tracee) {
    tracee.kill();
    reap(tracee);
  }

  /**
   * Waits for the end of a tracee that is dying or dead, records how it died, and reaps it. An
   * Error on the way leaves it to be reaped again. A guest's thread is left to {@link #reapThread}.
   *
   * @throws dev.stubpool.StubUnresponsiveException if the kernel does not let it die within the
   *     deadline; it is settled then
   */
  public void reap(Tracee tracee) {
    if (tracee.isSettled() || tracee.isGuest()) {
      return;
    }
    if (tracee.death() == null) {
      if (!diesSoon(tracee.pid())) {
        long result;
        deadline.arm(tracee);
        try {
          result = awaitEnds(tracee);
        } finally {
          deadline.disarm();
        }
        if (result < 0) {
          throw abandon(tracee, result, STEP);
        }
      }
      tracee.died(causeOfDeath());
    }
    long reaped = 0;
    if (tracee.retire()) {
      reaped = WaitCalls.reap(tracee.pid(), siginfo.address());
    } else {
      addUnreaped(tracee);
    }
    settle(tracee);
    Failures.check(reaped, "waitid", STEP);
  }

  /** Reaps a tracee that was found dead; returns the exception for whoever wanted to use it. */
  StubDiedException died(Tracee tracee, String step) {
    reap(tracee);
    Tracee stub = tracee.stub();
    return Failures.make().died(stub.pid(), stub.describeDeath(), step);
  }

  /**
   * Ends a wait that failed. If it failed because the watchdog abandoned it, the tracee is killed
   * and settled although it is not reaped; returns what to throw.
   *
   * @param result of waitid(2), -EINTR for an abandoned wait
   */
  RuntimeException abandon(Tracee tracee, long result, String step) {
    if (result != -Errno.EINTR) {
      return Failures.make().systemCall("waitid", (int) -result, step);
    }
    tracee.kill(); // also if the watchdog could not
    if (!tracee.isGuest()) {
      tracee.died("killed by the watchdog, but still held by the kernel");
      addUnreaped(tracee);
      settle(tracee);
      LOG.error(
          "process {} does not die while {}; the pool goes on without it, and reaps it when it"
              + " does",
          tracee.pid(),
          step);
    }
    return Failures.make()
        .unresponsive(
            "stub "
                + tracee.stub().pid()
                + " neither stopped within "
                + deadline.patience()
                + " nor died of SIGKILL while "
                + step
                + "; the kernel holds it, /proc/"
                + tracee.pid()
                + "/stack tells where");
  }

  private void settle(Tracee tracee) {
    tracee.setSettled();
    tracee.nextUntold = untold;
    untold = tracee;
    tellOfDeaths();
  }

  private void tellOfDeaths() {
    while (untold != null) {
      Tracee first = untold;
      try {
        deathListener.accept(first);
      } catch (RuntimeException e) {
        untold = first.nextUntold;
        throw e;
      }
      untold = first.nextUntold; // not after an Error: then the listener is told again
    }
  }

  private void addUnreaped(Tracee tracee) {
    tracee.nextUnreaped = unreaped;
    unreaped = tracee;
    unreapedCount.getAndIncrement();
  }

  /** How many settled processes are not reaped yet. May be called from any thread. */
  public int unreaped() {
    return unreapedCount.get();
  }

  /**
   * Continues what could not be finished: tells of deaths that were not told, and kills again and
   * reaps settled processes that are dead by now.
   */
  public void retry() {
    tellOfDeaths();
    Tracee before = null;
    for (Tracee each = unreaped; each != null; each = each.nextUnreaped) {
      if (killAndTryReap(each, siginfo)) {
        if (before == null) {
          unreaped = each.nextUnreaped;
        } else {
          before.nextUnreaped = each.nextUnreaped;
        }
        unreapedCount.getAndDecrement();
      } else {
        before = each;
      }
    }
  }

  /**
   * Kills a settled process once more, and reaps it if it is dead; whether it is reaped. May be
   * called from any thread of the JVM, by one at a time.
   */
  static boolean killAndTryReap(Tracee tracee, MemorySegment siginfo) {
    tracee.kill();
    reapGuests(tracee, siginfo);
    if (!isDead(tracee, siginfo) || !tracee.retire()) {
      return false;
    }
    WaitCalls.reap(tracee.pid(), siginfo.address());
    LOG.info("process {}, which the kernel held, is reaped", tracee.pid());
    return true;
  }

  /**
   * The pid of one dead tracee or child of this thread that is not reaped, or 0. Takes time in
   * proportion to the number of tracees.
   */
  public int findDead() {
    siginfo.set(JAVA_INT, Abi.SIGINFO_pid, 0);
    long result = WaitCalls.peekAnyDeath(siginfo.address());
    return result == 0 ? siginfo.get(JAVA_INT, Abi.SIGINFO_pid) : 0;
  }

  /**
   * Reaps a process that {@link #findDead} found and no pool knows: one that was settled before it
   * died, one whose pid was held when it died, or one that a compromised stub made.
   *
   * @return whether its pid is free now; if not, {@link #retry} frees it later
   */
  public boolean reapStranger(int pid) {
    if (!isUnreaped(pid)) {
      killAndReap(new Tracee(pid));
    } else {
      retry();
    }
    return !isUnreaped(pid);
  }

  private boolean isUnreaped(int pid) {
    for (Tracee each = unreaped; each != null; each = each.nextUnreaped) {
      if (each.pid() == pid) {
        return true;
      }
    }
    return false;
  }

  /**
   * Reaps what {@link #findDead} finds and what is settled until nothing is left, at most for as
   * long as a tracee may take to stop. The {@link Watchdog} reaps what is left then.
   */
  public void reapRest() {
    long start = System.nanoTime();
    long waited = 0;
    while (waited < deadline.patience().toNanos()) {
      int pid = findDead();
      if (pid != 0) {
        reapStranger(pid);
      } else if (unreaped == null) {
        return;
      } else {
        retry();
        LockSupport.parkNanos(this, Math.min(waited / SLEEP_DIVISOR, MOST_SLEEP_NANOS));
      }
      waited = System.nanoTime() - start;
    }
  }

  // ---- guest threads ----

  /** Records that a stub has guests, so that {@link #reapGuests} looks at their threads. */
  public void hasGuests(Tracee stub) {
    if (!stub.isListed()) {
      withGuests.add(stub);
      stub.setListed(true);
    }
  }

  /**
   * Reaps the dead threads of all stubs that have guests: their own tracers may be busy, and until
   * then the kernel does not report the death of the stub.
   */
  public void reapGuests() {
    for (int i = withGuests.size() - 1; i >= 0; i--) {
      Tracee stub = withGuests.get(i);
      reapGuestsOf(stub);
      if (stub.guests().isEmpty() || stub.isSettled()) {
        stub.setListed(false);
        withGuests.set(i, withGuests.getLast());
        withGuests.removeLast();
      }
    }
  }

  /** Reaps the dead threads of one stub. Consumes no stop: other tracers wait for those. */
  void reapGuestsOf(Tracee stub) {
    reapGuests(stub, siginfo);
  }

  private static void reapGuests(Tracee stub, MemorySegment siginfo) {
    for (Tracee guest : stub.guests()) {
      if (guest.isTraced() && isDead(guest, siginfo)) {
        reapDeadThread(guest, siginfo);
      }
    }
  }

  /**
   * Waits for the end of a guest's thread that is dying, and reaps it. For the thread's own tracer.
   *
   * @throws dev.stubpool.StubUnresponsiveException if the kernel does not let it die within the
   *     deadline; its process is killed, and the forge tracer reaps that
   */
  public void reapThread(Tracee guest) {
    long result;
    deadline.arm(guest);
    try {
      result = awaitThreadReaped(guest);
    } finally {
      deadline.disarm();
    }
    if (result < 0) {
      throw abandon(guest, result, "waiting for a guest thread's end");
    }
  }

  /** Waits until a dying guest thread is reaped, by this or another tracer. 0, or -EINTR. */
  private long awaitThreadReaped(Tracee guest) {
    while (guest.hold()) {
      long result = 0;
      try {
        if (guest.isTraced() && !diesSoon(guest.pid())) {
          result = awaitDeath(guest.pid());
        }
      } finally {
        guest.release();
      }
      if (result == -Errno.EINTR) {
        return result;
      }
      if (reapDeadThread(guest, siginfo)) {
        return 0;
      }
      if (deadline.isAbandoned()) {
        return -Errno.EINTR; // another thread holds it
      }
    }
    return 0;
  }

  /**
   * Reaps a guest's thread that is dead, unless another thread holds it for longer than a moment;
   * whether it is reaped. The kernel itself reaps a thread that no tracer has, and its number must
   * not be waited for: it may be another process's by now.
   */
  private static boolean reapDeadThread(Tracee guest, MemorySegment siginfo) {
    if (!guest.claimEnd()) {
      return guest.isRetired();
    }
    if (guest.isTraced()) {
      WaitCalls.reap(guest.pid(), siginfo.address());
    }
    guest.leaveStub();
    return true;
  }

  // ---- waiting for deaths ----

  /** Whether a process is dead; it is not reaped. */
  public boolean isDead(int pid) {
    return reports(pid, siginfo) && seesDeath();
  }

  private static boolean isDead(Tracee tracee, MemorySegment siginfo) {
    return reports(tracee.pid(), siginfo) && showsDeath(siginfo);
  }

  /** Whether the kernel has something to report of a process, which {@code siginfo} has then. */
  private static boolean reports(int pid, MemorySegment siginfo) {
    siginfo.set(JAVA_INT, Abi.SIGINFO_pid, 0);
    return WaitCalls.peekDeath(pid, siginfo.address()) == 0
        && siginfo.get(JAVA_INT, Abi.SIGINFO_pid) == pid;
  }

  /** Polls for the death of a process, yielding the CPU in between. */
  private boolean diesSoon(int pid) {
    for (int i = 0; i < POLLS; i++) {
      if (isDead(pid)) {
        return true;
      }
      Thread.yield();
    }
    return false;
  }

  /** Blocks until a killed process is dead. Its threads first: those that are traced hold it up. */
  private long awaitEnds(Tracee tracee) {
    int pid = tracee.pid();
    for (Tracee guest : tracee.guests()) {
      long result = awaitThreadReaped(guest);
      if (result < 0) {
        return result;
      }
    }
    for (int tid : ProcessCalls.threads(pid)) {
      // The number of a thread that has ended meanwhile may be another process's.
      if (tid != pid && ProcessCalls.signalThread(pid, tid, 0) == 0) {
        long result = awaitDeath(tid);
        if (result == 0) {
          WaitCalls.reap(tid, siginfo.address());
        } else if (result != -Errno.ECHILD) { // which is not a tracee: the kernel reaps it
          return result;
        }
      }
    }
    return awaitDeath(pid);
  }

  private long awaitDeath(int pid) {
    long result;
    do {
      result = WaitCalls.awaitDeath(pid, siginfo.address());
    } while ((result == -Errno.EINTR && !deadline.isAbandoned()) || (result == 0 && !seesDeath()));
    return result;
  }

  private static boolean showsDeath(MemorySegment siginfo) {
    int code = siginfo.get(JAVA_INT, Abi.SIGINFO_code);
    return code == Abi.CLD_EXITED || code == Abi.CLD_KILLED || code == Abi.CLD_DUMPED;
  }

  /** Whether siginfo shows a death. A dying tracee may show a stop first, which this consumes. */
  private boolean seesDeath() {
    if (showsDeath(siginfo)) {
      return true;
    }
    pidWord.set(JAVA_INT, 0, siginfo.get(JAVA_INT, Abi.SIGINFO_pid));
    WaitCalls.pollStop(pidWord.address(), siginfo.address(), 1);
    return false;
  }

  private String causeOfDeath() {
    int status = siginfo.get(JAVA_INT, Abi.SIGINFO_status);
    return siginfo.get(JAVA_INT, Abi.SIGINFO_code) == Abi.CLD_EXITED
        ? "exited with status " + status
        : "killed by " + Signals.name(status);
  }

  /** Hands processes that are not reaped yet to the watchdog. Can be repeated. */
  void handOver() {
    while (unreaped != null) {
      Tracee first = unreaped;
      unreaped = first.nextUnreaped;
      unreapedCount.getAndDecrement();
      Watchdog.inherit(first);
    }
  }
}
