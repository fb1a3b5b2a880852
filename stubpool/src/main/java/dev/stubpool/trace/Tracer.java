package dev.stubpool.trace;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.DeniedSystemCallException;
import dev.stubpool.StubDiedException;
import dev.stubpool.StubUnresponsiveException;
import dev.stubpool.SystemCallException;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.Errno;
import dev.stubpool.nativestubs.ImageSymbols;
import dev.stubpool.nativestubs.ProcessCalls;
import dev.stubpool.nativestubs.PtraceCalls;
import dev.stubpool.nativestubs.Signals;
import dev.stubpool.nativestubs.StubImage;
import dev.stubpool.nativestubs.WaitCalls;
import dev.stubpool.nativestubs.WakeSignal;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a tracing thread does to stopped tracees: lets them run to a known place, runs system calls
 * in them, buries them. Confined to the thread that made it, for ptrace(2) is.
 *
 * <p>A tracee runs only between {@link #runTo} and the int3 it ends at. Registers are always
 * written whole before that, and built from constants: what a tracee's registers held before does
 * not matter.
 */
public final class Tracer implements Injector, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Tracer.class);

  /** Looks before a wait blocks: about 50 us of looking and yielding on an otherwise idle CPU. */
  private static final int LOOKS = 64;

  /** A wait that cannot block sleeps for this part of the time that it lasts already. */
  private static final int SLEEP_SHARE = 4;

  private static final long MOST_SLEEP_NANOS = Duration.ofMillis(1).toNanos();

  /** What {@link #awaitStopOrEnd} returns for a tracee that is dead. */
  static final int ENDED = -1;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment pidWord = arena.allocate(Integer.BYTES, Long.BYTES);
  private final MemorySegment siginfo = arena.allocate(Abi.SIGINFO_SIZE, Long.BYTES);
  private final MemorySegment input = arena.allocate(Abi.REGS_SIZE, Long.BYTES);
  private final MemorySegment output = arena.allocate(Abi.REGS_SIZE, Long.BYTES);

  /** Signal masks: everything blocked, and what all stubs have. */
  private final MemorySegment allSignals = arena.allocateFrom(JAVA_LONG, -1);

  private final MemorySegment stubsSignals = arena.allocateFrom(JAVA_LONG, Abi.STUB_SIGNAL_MASK);

  private final StubImage image = StubImage.get();
  private final long call = image.address(ImageSymbols.STUB_CALL);
  private final long callDone = image.address(ImageSymbols.STUB_CALL_DONE);
  private final long firstCall = image.address(ImageSymbols.STUB_FIRST_CALL);
  private final long firstCallDone = image.address(ImageSymbols.STUB_FIRST_CALL_DONE);

  /**
   * Processes that are dead for the pool but not reaped: given up while the kernel holds them, or
   * held by a caller. A list linked by its members, so that to add one needs no memory.
   */
  private Tracee lingering;

  private final AtomicInteger lingeringCount = new AtomicInteger();

  /** Stubs that have guests, or had some at the last look. */
  private final List<Tracee> withGuests = new ArrayList<>();

  /** Buried tracees whose end the listener was not told of yet. */
  private Tracee untold;

  private final int jvmPid = ProcessCalls.pid();
  private final Deadline deadline;
  private final Consumer<Tracee> deathListener;
  private final boolean armParentDeathSignal;

  /**
   * Makes one for the calling thread.
   *
   * @param patience how long a tracee may take to stop
   * @param armParentDeathSignal false only in tests of the other mechanism
   * @param deathListener is told of each tracee found dead, once it is buried; again if an Error
   *     kept it from hearing that
   */
  public Tracer(Duration patience, boolean armParentDeathSignal, Consumer<Tracee> deathListener) {
    this.deadline = new Deadline(ProcessCalls.tid(), patience);
    this.armParentDeathSignal = armParentDeathSignal;
    this.deathListener = deathListener;
    try {
      // An inherited mask may block it; then the watchdog could not end a wait.
      SystemCallException.check(
          ProcessCalls.unblock(WakeSignal.number()),
          "rt_sigprocmask",
          "unblocking the wake signal");
      Watchdog.watch(deadline);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /**
   * By SETREGS, CONT, wait, GETREGS. The first call of a child stub also arms SIGKILL at the JVM's
   * death.
   */
  @Override
  public long inject(
      Tracee stub, int number, long a, long b, long c, long d, long e, long f, String step) {
    clearInput();
    set(Abi.REGS_rdx, c);
    set(Abi.REGS_r10, d);
    set(Abi.REGS_r8, e);
    set(Abi.REGS_r9, f);
    if (stub.armed() || !armParentDeathSignal) {
      set(Abi.REGS_rax, number);
      set(Abi.REGS_rdi, a);
      set(Abi.REGS_rsi, b);
      runTo(stub, call, callDone, step);
    } else {
      set(Abi.REGS_rbx, number);
      set(Abi.REGS_r12, a);
      set(Abi.REGS_r13, b);
      set(Abi.REGS_r14, jvmPid);
      // Armed whatever becomes of the call itself: the prctl comes first, and who fails it is
      // killed.
      stub.setArmed();
      runTo(stub, firstCall, firstCallDone, step);
    }
    return result();
  }

  /** Arms SIGKILL at the JVM's death, by a call that does nothing. */
  void arm(Tracee stub, String step) {
    if (!stub.armed() && armParentDeathSignal) {
      inject(stub, Abi.SYS_getppid, 0, 0, 0, 0, 0, 0, step);
    }
  }

  /**
   * {@link #inject} with raw register values, none of them checked or completed. For tests of the
   * filter.
   */
  long injectRaw(Tracee stub, long site, long done, long rax, long[] arguments, String step) {
    clearInput();
    set(Abi.REGS_rax, rax);
    set(Abi.REGS_rdi, arguments[0]);
    set(Abi.REGS_rsi, arguments[1]);
    set(Abi.REGS_rdx, arguments[2]);
    set(Abi.REGS_r10, arguments[3]);
    set(Abi.REGS_r8, arguments[4]);
    set(Abi.REGS_r9, arguments[5]);
    runTo(stub, site, done, step);
    return result();
  }

  /**
   * Unmaps all of a stub but the image, in one stop, and leaves nothing in its general and segment
   * registers and bases.
   */
  public void unmapAround(Tracee stub, long lowest, long highest, String step) {
    clearInput();
    set(Abi.REGS_rdi, lowest);
    set(Abi.REGS_rsi, image.base() - lowest);
    set(Abi.REGS_r12, image.end());
    set(Abi.REGS_r13, highest - image.end());
    runTo(
        stub,
        image.address(ImageSymbols.STUB_UNMAP_AROUND),
        image.address(ImageSymbols.STUB_UNMAP_AROUND_DONE),
        step);
    SystemCallException.check(result(), "munmap", step);
  }

  /**
   * Starts a run in the source that nobody waits for yet: {@link Forge} knows what to wait for
   * first.
   */
  void startCloning(Tracee source, long flags, long pidPageAddress, int count, String step) {
    clearInput();
    set(Abi.REGS_rbx, flags);
    set(Abi.REGS_r12, pidPageAddress);
    set(Abi.REGS_r13, count);
    start(source, image.address(ImageSymbols.STUB_CLONE_MANY), step);
  }

  /**
   * Writes the input registers, lets the tracee run, and waits until it has run to {@code done}.
   */
  private void runTo(Tracee tracee, long entry, long done, String step) {
    try {
      start(tracee, entry, step);
      awaitTrap(tracee, done, step);
    } catch (Error e) {
      tracee.kill(); // it may be anywhere in the call; whoever uses or finds it next buries it
      throw e;
    }
  }

  private void start(Tracee tracee, long entry, String step) {
    tracee.use();
    set(Abi.REGS_rip, entry);
    checkStopped(tracee, PtraceCalls.setRegisters(tracee.pid(), input.address()), "SETREGS", step);
    resume(tracee, step);
  }

  /** Lets a stopped thread go, to sleep in the image until another tracer takes it. */
  void park(Tracee thread, String step) {
    // A signal that others send is the kernel's to act on while nobody traces the thread, and most
    // would be the process's death.
    setSignalMask(thread, allSignals, step);
    clearInput();
    set(Abi.REGS_rip, image.address(ImageSymbols.STUB_PARK));
    checkStopped(thread, PtraceCalls.setRegisters(thread.pid(), input.address()), "SETREGS", step);
    long result = PtraceCalls.detach(thread.pid());
    if (result == 0) {
      thread.setTraced(false);
    }
    checkStopped(thread, result, "DETACH", step);
  }

  /** Gives a thread that was parked the signal mask of all stubs again. */
  void letSignalsThrough(Tracee thread, String step) {
    setSignalMask(thread, stubsSignals, step);
  }

  private void setSignalMask(Tracee thread, MemorySegment mask, String step) {
    long result = PtraceCalls.setSignalMask(thread.pid(), mask.address());
    checkStopped(thread, result, "SETSIGMASK", step);
  }

  /**
   * Ends the tracing of a stranger's thread that was seized by mistake. What it stops for first is
   * lost on it if that is a signal; it is not killed.
   */
  void letGo(int tid) {
    PtraceCalls.interrupt(tid);
    pidWord.set(JAVA_INT, 0, tid);
    long start = System.nanoTime();
    long seen;
    while ((seen = WaitCalls.look(pidWord.address(), siginfo.address(), LOOKS)) == 0
        && System.nanoTime() - start < deadline.patience().toNanos()) {
      LockSupport.parkNanos(this, MOST_SLEEP_NANOS);
    }
    if (seen == 1) {
      PtraceCalls.detach(tid);
    } else if (seen == 0) {
      LOG.error("process {} was seized by mistake, and does not stop to be let go", tid);
    }
  }

  private void resume(Tracee tracee, String step) {
    checkStopped(tracee, PtraceCalls.resume(tracee.pid()), "CONT", step);
  }

  /**
   * Waits until a running tracee has executed the int3 before {@code done}; its registers are then
   * in {@link #result()}. It may be stopped by signals that others sent: they are dropped, and a
   * call that they interrupted is made again by the kernel, for nothing was written to the
   * registers.
   */
  void awaitTrap(Tracee tracee, long done, String step) {
    long firstForeignStop = 0;
    while (true) {
      int status = awaitStop(tracee, step);
      if (status == Abi.SIGTRAP) {
        readRegisters(tracee, step);
        long rip = output.get(JAVA_LONG, Abi.REGS_rip);
        if (rip == done) {
          return;
        }
        if (signalCode(tracee, step) > 0) {
          throw wrongTrap(tracee, rip, step);
        }
      } else if (status == Abi.SIGSYS && signalCode(tracee, step) == Abi.SYS_SECCOMP) {
        readRegisters(tracee, step);
        throw new DeniedSystemCallException((int) output.get(JAVA_LONG, Abi.REGS_orig_rax));
      }
      long now = System.nanoTime();
      if (firstForeignStop == 0) {
        firstForeignStop = now;
      } else if (now - firstForeignStop > deadline.patience().toNanos()) {
        throw lost(tracee, "held up by foreign signals for " + deadline.patience(), step);
      }
      resume(tracee, step);
    }
  }

  /** Whether an instruction may have caused a signal, and not only another process. */
  static boolean isRaisedByInstructions(int signal) {
    return signal == Abi.SIGSEGV
        || signal == Abi.SIGBUS
        || signal == Abi.SIGILL
        || signal == Abi.SIGFPE
        || signal == Abi.SIGTRAP
        || signal == Abi.SIGSYS;
  }

  RuntimeException wrongTrap(Tracee tracee, long rip, String step) {
    if (rip == image.address(ImageSymbols.STUB_FIRST_CALL_NOT_ARMED)) {
      int errno = (int) -result();
      LOG.warn("process {} cannot arm its parent death signal; killing it", tracee.pid());
      killAndBury(tracee); // it might outlive the JVM
      return new SystemCallException("prctl(PR_SET_PDEATHSIG)", errno, step);
    }
    return lost(tracee, "trapped at 0x" + Long.toHexString(rip), step);
  }

  /** A tracee that is not where it can be is of no use to anybody. */
  private StubDiedException lost(Tracee tracee, String how, String step) {
    LOG.warn("process {} {}; killing it", tracee.pid(), how); // its end may be the JVM's
    killAndBury(tracee);
    return new StubDiedException(tracee.stub().pid(), how + ", killed", step);
  }

  /**
   * Waits until a running tracee stops.
   *
   * @return the signal it stopped for, with the ptrace event in the bits above 8
   * @throws StubDiedException if it died instead; it is buried then
   */
  int awaitStop(Tracee tracee, String step) {
    int stop = awaitStopOrEnd(tracee, step);
    if (stop == ENDED) {
      throw died(tracee, step);
    }
    return stop;
  }

  /** {@link #awaitStop}, but {@link #ENDED} for a tracee that is dead, which is not buried then. */
  int awaitStopOrEnd(Tracee tracee, String step) {
    pidWord.set(JAVA_INT, 0, tracee.pid());
    long seen = WaitCalls.look(pidWord.address(), siginfo.address(), LOOKS);
    if (seen != 1 && awaitStopSlowly(tracee, seen, step) == ENDED) {
      return ENDED;
    }
    return siginfo.get(JAVA_INT, Abi.SIGINFO_status);
  }

  /** 0 if it stopped, or {@link #ENDED}. */
  private int awaitStopSlowly(Tracee tracee, long looked, String step) {
    long result = looked;
    if (looked == 0) {
      deadline.arm(tracee);
      try {
        if (tracee.guests().isEmpty()) {
          do {
            result = WaitCalls.awaitStop(tracee.pid(), siginfo.address());
          } while (result == -Errno.EINTR && !deadline.isAbandoned());
        } else {
          result = awaitStopBesideGuests(tracee);
        }
      } finally {
        deadline.disarm();
      }
    }
    if (result == -Errno.ECHILD) {
      return ENDED;
    }
    if (result < 0) {
      throw giveUp(tracee, result, step);
    }
    return 0;
  }

  /**
   * A process is not told to be dead before its other threads are reaped, and their tracers may be
   * in their callers' code: no wait that blocks would end. So it looks, and sleeps between the
   * looks in proportion to the time that it waits already. The watchdog kills a process that is
   * late, and this goes on until that is dead, or the watchdog gives it up.
   */
  private long awaitStopBesideGuests(Tracee tracee) {
    long start = System.nanoTime();
    while (true) {
      reapGuests(tracee, siginfo);
      pidWord.set(JAVA_INT, 0, tracee.pid());
      long result = WaitCalls.look(pidWord.address(), siginfo.address(), 1);
      if (result != 0) {
        return result;
      }
      if (deadline.isAbandoned()) {
        return -Errno.EINTR;
      }
      long waited = System.nanoTime() - start;
      LockSupport.parkNanos(this, Math.min(waited / SLEEP_SHARE, MOST_SLEEP_NANOS));
    }
  }

  /** Notes that a stub has guests, whose ends {@link #reapGuests()} looks for. */
  void hasGuests(Tracee stub) {
    if (!stub.isListed()) {
      withGuests.add(stub);
      stub.setListed(true);
    }
  }

  /**
   * Reaps the dead threads of all processes that have guests: their own tracers may be busy
   * elsewhere, and the kernel does not tell of a process's death before.
   */
  public void reapGuests() {
    for (int i = withGuests.size() - 1; i >= 0; i--) {
      Tracee stub = withGuests.get(i);
      reapGuests(stub, siginfo);
      if (stub.guests().isEmpty() || stub.isBuried()) {
        stub.setListed(false);
        withGuests.set(i, withGuests.getLast());
        withGuests.removeLast();
      }
    }
  }

  /**
   * Reaps those threads of a process that are dead and that other tracers have. Takes no stop away
   * from these: they wait for it.
   */
  private static void reapGuests(Tracee tracee, MemorySegment siginfo) {
    for (Tracee guest : tracee.guests()) {
      if (guest.isTraced() && isSeenDead(guest, siginfo)) {
        endThread(guest, siginfo);
      }
    }
  }

  private static boolean isSeenDead(Tracee tracee, MemorySegment siginfo) {
    siginfo.set(JAVA_INT, Abi.SIGINFO_pid, 0);
    return WaitCalls.lookForDeath(tracee.pid(), siginfo.address()) == 0
        && siginfo.get(JAVA_INT, Abi.SIGINFO_pid) == tracee.pid()
        && showsDeath(siginfo);
  }

  /**
   * Kills a process that lingers once more, and reaps it if it is dead; whether it is reaped. Any
   * thread of the JVM.
   */
  static boolean killAndReap(Tracee tracee, MemorySegment siginfo) {
    tracee.kill();
    reapGuests(tracee, siginfo);
    if (!isSeenDead(tracee, siginfo) || !tracee.retire()) {
      return false;
    }
    WaitCalls.reap(tracee.pid(), siginfo.address());
    LOG.info("process {}, which lingered, is reaped", tracee.pid());
    return true;
  }

  /**
   * Reaps a guest's thread that is dead, unless somebody holds it for longer than a moment; whether
   * it is reaped. A thread that no tracer has is the kernel's to reap, and its number is not waited
   * for: it may be another's.
   */
  private static boolean endThread(Tracee guest, MemorySegment siginfo) {
    if (!guest.claimEnd()) {
      return guest.isRetired();
    }
    if (guest.isTraced()) {
      WaitCalls.reap(guest.pid(), siginfo.address());
    }
    guest.leaveStub();
    return true;
  }

  /**
   * Waits until a guest stops, for as long as it computes: what ends that is a signal, or its end.
   *
   * @return as {@link #awaitStop}
   * @throws StubDiedException if it died instead; it is for the caller to bury
   */
  int awaitGuest(Tracee guest, String step) {
    pidWord.set(JAVA_INT, 0, guest.pid());
    long result = WaitCalls.look(pidWord.address(), siginfo.address(), LOOKS);
    if (result == 0) {
      do {
        result = WaitCalls.awaitStop(guest.pid(), siginfo.address());
      } while (result == -Errno.EINTR);
    }
    if (result < 0) {
      throw died(guest, step);
    }
    return siginfo.get(JAVA_INT, Abi.SIGINFO_status);
  }

  /**
   * Looks for a stop of the process whose pid is about to be written at {@code pidAddress}, and
   * consumes it.
   *
   * @return 1 if it stopped, else what {@link WaitCalls#look} tells
   */
  long lookForNewborn(long pidAddress) {
    return WaitCalls.look(pidAddress, siginfo.address(), LOOKS);
  }

  /** Kills a tracee, whatever it does, and buries it. */
  public void killAndBury(Tracee tracee) {
    tracee.kill();
    bury(tracee);
  }

  /**
   * Waits for the end of a tracee that is dying or dead, learns how it died, and gives its pid
   * back. An Error on the way leaves it to be buried again.
   *
   * @throws StubUnresponsiveException if the kernel does not let it die; it lingers then
   */
  public void bury(Tracee tracee) {
    if (tracee.isBuried() || tracee.isGuest()) {
      return; // a guest's thread dies with its process, which the forge tracer buries
    }
    String step = "waiting for its end";
    if (tracee.death() == null) {
      if (!dies(tracee.pid())) {
        long result;
        deadline.arm(tracee);
        try {
          result = awaitEnds(tracee);
        } finally {
          deadline.disarm();
        }
        if (result < 0) {
          throw giveUp(tracee, result, step);
        }
      }
      tracee.died(causeOfDeath());
    }
    long reaped = 0;
    if (tracee.retire()) {
      reaped = WaitCalls.reap(tracee.pid(), siginfo.address());
    } else {
      linger(tracee);
    }
    settle(tracee);
    SystemCallException.check(reaped, "waitid", step);
  }

  /** A tracee leaves the books: it is reaped, or lingers. */
  private void settle(Tracee tracee) {
    tracee.setBuried();
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
      untold = first.nextUntold; // after an Error it is told again
    }
  }

  private void linger(Tracee tracee) {
    tracee.nextLingering = lingering;
    lingering = tracee;
    lingeringCount.getAndIncrement();
  }

  /** How many processes are off the books and not reaped yet. Any thread. */
  public int lingering() {
    return lingeringCount.get();
  }

  /**
   * Goes on with what could not be finished: kills again what lingers, and reaps what is dead by
   * now.
   */
  public void finishBurials() {
    tellOfDeaths();
    Tracee before = null;
    for (Tracee each = lingering; each != null; each = each.nextLingering) {
      if (killAndReap(each, siginfo)) {
        if (before == null) {
          lingering = each.nextLingering;
        } else {
          before.nextLingering = each.nextLingering;
        }
        lingeringCount.getAndDecrement();
      } else {
        before = each;
      }
    }
  }

  /**
   * Waits for the end of a guest's thread that is dying, and gives its number back; its own tracer.
   *
   * @throws StubUnresponsiveException if the kernel does not let it die; its process is killed, and
   *     the forge tracer buries that
   */
  void buryThread(Tracee guest) {
    long result;
    deadline.arm(guest);
    try {
      result = awaitThreadsEnd(guest);
    } finally {
      deadline.disarm();
    }
    if (result < 0) {
      throw giveUp(guest, result, "waiting for a guest thread's end");
    }
  }

  /** Until a guest's thread that is dying is reaped, by whomever. 0, or -EINTR. */
  private long awaitThreadsEnd(Tracee guest) {
    while (guest.hold()) {
      long result = 0;
      try {
        if (guest.isTraced() && !dies(guest.pid())) {
          result = awaitDeath(guest.pid());
        }
      } finally {
        guest.release();
      }
      if (result == -Errno.EINTR) {
        return result;
      }
      if (endThread(guest, siginfo)) {
        return 0;
      }
      if (deadline.isAbandoned()) {
        return -Errno.EINTR; // somebody holds it
      }
    }
    return 0;
  }

  /** Whether a process is seen dead while it is given the CPU a few times. */
  private boolean dies(int pid) {
    for (int i = 0; i < LOOKS; i++) {
      if (isDead(pid)) {
        return true;
      }
      Thread.yield();
    }
    return false;
  }

  /**
   * Blocks until a killed process is dead, its threads first: those that are traced hold up its end
   * until they are reaped.
   */
  private long awaitEnds(Tracee tracee) {
    int pid = tracee.pid();
    for (Tracee guest : tracee.guests()) {
      long result = awaitThreadsEnd(guest);
      if (result < 0) {
        return result;
      }
    }
    for (int tid : ProcessCalls.threads(pid)) {
      // One that has ended by now may have left its number to a stranger.
      if (tid != pid && ProcessCalls.signalThread(pid, tid, 0) == 0) {
        long result = awaitDeath(tid);
        if (result == 0) {
          WaitCalls.reap(tid, siginfo.address());
        } else if (result != -Errno.ECHILD) { // or not this thread's tracee: the kernel reaps it
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

  /** A dying tracee may first show a stop, which is consumed by the look. */
  private boolean seesDeath() {
    if (showsDeath(siginfo)) {
      return true;
    }
    pidWord.set(JAVA_INT, 0, siginfo.get(JAVA_INT, Abi.SIGINFO_pid));
    WaitCalls.look(pidWord.address(), siginfo.address(), 1);
    return false;
  }

  private String causeOfDeath() {
    int status = siginfo.get(JAVA_INT, Abi.SIGINFO_status);
    return siginfo.get(JAVA_INT, Abi.SIGINFO_code) == Abi.CLD_EXITED
        ? "exited with status " + status
        : "killed by " + Signals.name(status);
  }

  private RuntimeException giveUp(Tracee tracee, long result, String step) {
    if (result != -Errno.EINTR) {
      return new SystemCallException("waitid", (int) -result, step);
    }
    tracee.kill(); // also if the watchdog could not
    if (!tracee.isGuest()) {
      tracee.died("killed by the watchdog, but still held by the kernel");
      linger(tracee);
      settle(tracee);
      LOG.error(
          "process {} does not die while {}; the pool goes on without it, and reaps it when it"
              + " does",
          tracee.pid(),
          step);
    }
    return new StubUnresponsiveException(
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

  /**
   * The pid of one dead tracee or child of this thread that is not buried yet, or 0. It costs time
   * in proportion to the number of tracees.
   */
  public int findDead() {
    siginfo.set(JAVA_INT, Abi.SIGINFO_pid, 0);
    long result = WaitCalls.lookForAnyDeath(siginfo.address());
    return result == 0 ? siginfo.get(JAVA_INT, Abi.SIGINFO_pid) : 0;
  }

  /**
   * Ends a process that {@link #findDead} told of and no pool knows: one that was given up before
   * it died, one that was held when it did, or one that a broken stub made.
   *
   * @return whether its pid is free now; if not, later
   */
  public boolean buryStranger(int pid) {
    if (!isLingering(pid)) {
      killAndBury(new Tracee(pid));
    } else {
      finishBurials();
    }
    return !isLingering(pid);
  }

  private boolean isLingering(int pid) {
    for (Tracee each = lingering; each != null; each = each.nextLingering) {
      if (each.pid() == pid) {
        return true;
      }
    }
    return false;
  }

  /**
   * Ends what {@link #findDead} tells of and what lingers until there is nothing more, at most for
   * as long as a tracee may take to stop. What is left then is the {@link Watchdog}'s to reap.
   */
  public void buryRest() {
    long start = System.nanoTime();
    long waited = 0;
    while (waited < deadline.patience().toNanos()) {
      int pid = findDead();
      if (pid != 0) {
        buryStranger(pid);
      } else if (lingering == null) {
        return;
      } else {
        finishBurials();
        LockSupport.parkNanos(this, Math.min(waited / SLEEP_SHARE, MOST_SLEEP_NANOS));
      }
      waited = System.nanoTime() - start;
    }
  }

  /** Whether a process is dead; it is not buried. */
  public boolean isDead(int pid) {
    siginfo.set(JAVA_INT, Abi.SIGINFO_pid, 0);
    return WaitCalls.lookForDeath(pid, siginfo.address()) == 0
        && siginfo.get(JAVA_INT, Abi.SIGINFO_pid) == pid
        && seesDeath();
  }

  /**
   * si_code of the signal that a tracee stopped for. Positive ones are the kernel's alone: for an
   * instruction of the tracee's. What others send has 0 or less (rt_sigqueueinfo(2)).
   */
  private int signalCode(Tracee tracee, String step) {
    long result = PtraceCalls.getSignalInfo(tracee.pid(), siginfo.address());
    if (result == -Errno.EINVAL) {
      return 0; // a stop without a signal: PTRACE_EVENT_STOP
    }
    checkStopped(tracee, result, "GETSIGINFO", step);
    return siginfo.get(JAVA_INT, Abi.SIGINFO_code);
  }

  private void readRegisters(Tracee tracee, String step) {
    checkStopped(tracee, PtraceCalls.getRegisters(tracee.pid(), output.address()), "GETREGS", step);
  }

  /** rax as it was read at the end of the last run. */
  long result() {
    return output.get(JAVA_LONG, Abi.REGS_rax);
  }

  /**
   * What ptrace answered about a tracee that ought to be stopped. ESRCH means that it is being
   * killed: wait for that, for nothing else can have started it.
   */
  void checkStopped(Tracee tracee, long result, String request, String step) {
    if (result == -Errno.ESRCH) {
      throw died(tracee, step);
    }
    if (result < 0) { // the name is put together only then: this is the way of every request
      SystemCallException.check(result, "ptrace(PTRACE_" + request + ")", step);
    }
  }

  private StubDiedException died(Tracee tracee, String step) {
    bury(tracee);
    Tracee stub = tracee.stub();
    String how = stub.death() == null ? "being killed" : stub.death();
    return new StubDiedException(stub.pid(), how, step);
  }

  private void clearInput() {
    InitialState.fillGeneral(input);
    set(Abi.REGS_orig_rax, -1); // in no system call: the kernel has nothing to restart
  }

  private void set(int register, long value) {
    input.set(JAVA_LONG, register, value);
  }

  /** Hands what lingers to the watchdog, and ends. */
  @Override
  public void close() {
    while (lingering != null) {
      Tracee first = lingering;
      lingering = first.nextLingering;
      lingeringCount.getAndDecrement();
      Watchdog.inherit(first);
    }
    Watchdog.forget(deadline);
    arena.close();
  }
}
