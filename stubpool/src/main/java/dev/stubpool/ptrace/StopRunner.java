package dev.stubpool.ptrace;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.abi.Errno;
import dev.stubpool.arch.Architecture;
import dev.stubpool.arch.EntryArguments;
import dev.stubpool.arch.RegisterLayout;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.calls.PtraceCalls;
import dev.stubpool.nativestubs.calls.WaitCalls;
import dev.stubpool.nativestubs.calls.WakeSignal;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.nativestubs.image.StubImage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs stopped tracees to known places in the stub image, such as one system call, and waits for
 * their stops. Confined to the thread that made it, because ptrace(2) is. Deaths are the {@link
 * Reaper}'s.
 *
 * <p>A tracee runs only between {@link #start} and the int3 that its run ends with. Before that,
 * all of its general registers are written from constants and arguments: what they held before does
 * not matter.
 */
public final class StopRunner implements AutoCloseable {
  /** What {@link #awaitStopOrEnd} returns for a tracee that is dead. */
  public static final int ENDED = -1;

  private static final Logger LOG = LoggerFactory.getLogger(StopRunner.class);

  /** Polls before a wait blocks: about 50 us of polling and yielding on an otherwise idle CPU. */
  private static final int POLLS = 64;

  /** A wait that must not block sleeps for a quarter of the time that it has lasted. */
  private static final int SLEEP_DIVISOR = 4;

  private static final long MOST_SLEEP_NANOS = Duration.ofMillis(1).toNanos();

  private static final RegisterLayout REGISTERS = Architecture.current().registers();
  private static final EntryArguments ENTRIES = Architecture.current().entries();

  private final Arena arena = Arena.ofShared();
  private final MemorySegment pidWord = arena.allocate(Integer.BYTES, Long.BYTES);
  private final MemorySegment siginfo = arena.allocate(Abi.SIGINFO_SIZE, Long.BYTES);
  private final MemorySegment input = arena.allocate(REGISTERS.bytes(), Long.BYTES);
  private final MemorySegment output = arena.allocate(REGISTERS.bytes(), Long.BYTES);

  /** A signal mask that blocks everything. */
  private final MemorySegment allSignals = arena.allocateFrom(JAVA_LONG, -1);

  /** The signal mask of all stubs. */
  private final MemorySegment stubSignals = arena.allocateFrom(JAVA_LONG, Abi.STUB_SIGNAL_MASK);

  private final StubImage image = StubImage.get();
  private final long call = image.address(ImageSymbols.STUB_CALL);
  private final long callReturned = image.address(ImageSymbols.STUB_CALL_RETURNED);
  private final long callDone = image.address(ImageSymbols.STUB_CALL_DONE);
  private final long firstCall = image.address(ImageSymbols.STUB_FIRST_CALL);
  private final long firstCallReturned = image.address(ImageSymbols.STUB_FIRST_CALL_RETURNED);
  private final long firstCallDone = image.address(ImageSymbols.STUB_FIRST_CALL_DONE);

  private final int jvmPid = ProcessCalls.pid();
  private final boolean armParentDeathSignal;
  private final Deadline deadline;
  private final Reaper reaper;

  /**
   * Makes one for the calling thread.
   *
   * @param patience how long a tracee may take to stop or to die
   * @param armParentDeathSignal false only in tests of the other mechanism (PTRACE_O_EXITKILL)
   * @param deathListener as of {@link Reaper}
   * @throws dev.stubpool.StubPoolException if the system refuses the watchdog's thread
   */
  public StopRunner(
      Duration patience, boolean armParentDeathSignal, Consumer<Tracee> deathListener) {
    this.armParentDeathSignal = armParentDeathSignal;
    this.deadline = new Deadline(ProcessCalls.tid(), patience);
    try {
      // An inherited mask may block the signal; then the watchdog could not end a wait.
      Failures.check(
          ProcessCalls.unblock(WakeSignal.number()),
          "rt_sigprocmask",
          "unblocking the wake signal");
      this.reaper = new Reaper(arena, deadline, deathListener);
      Watchdog.watch(deadline);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /** Waits for the deaths of this thread's tracees, and reaps them. */
  public Reaper reaper() {
    return reaper;
  }

  // ---- runs ----

  /**
   * Runs a system call in a stub: SETREGS, CONT, wait, GETREGS. The first call of a child stub also
   * arms SIGKILL at the JVM's death, in the same stop.
   *
   * @param step what is being done, for messages
   * @return the kernel's result, -errno in [-4095, -1]
   * @throws dev.stubpool.DeniedSystemCallException if the stub's filter denied the call; it was not
   *     made
   * @throws dev.stubpool.StubDiedException if the stub is dead
   */
  public long inject(
      Tracee stub, int number, long a, long b, long c, long d, long e, long f, String step) {
    clearInput();
    set(REGISTERS.argument2(), c);
    set(REGISTERS.argument3(), d);
    set(REGISTERS.argument4(), e);
    set(REGISTERS.argument5(), f);
    if (stub.armed() || !armParentDeathSignal) {
      set(REGISTERS.callNumber(), number);
      set(REGISTERS.argument0(), a);
      set(REGISTERS.argument1(), b);
      runTo(stub, call, callDone, step);
    } else {
      set(ENTRIES.firstCall().number(), number);
      set(ENTRIES.firstCall().argument0(), a);
      set(ENTRIES.firstCall().argument1(), b);
      set(ENTRIES.firstCall().jvmPid(), jvmPid);
      // Armed whatever the call itself results in: the prctl comes first, and a stub that fails it
      // is killed.
      stub.setArmed();
      runTo(stub, firstCall, firstCallDone, step);
    }
    return result();
  }

  /**
   * Arms SIGKILL at the JVM's death in a stub that had no injection yet, by a call without effect.
   */
  public void arm(Tracee stub, String step) {
    if (!stub.armed() && armParentDeathSignal) {
      inject(stub, Abi.SYS_getppid, 0, 0, 0, 0, 0, 0, step);
    }
  }

  /** {@link #inject} with raw register values and entry. For tests of the filter. */
  public long injectRaw(
      Tracee stub, long site, long done, long number, long[] arguments, String step) {
    clearInput();
    set(REGISTERS.callNumber(), number);
    set(REGISTERS.argument0(), arguments[0]);
    set(REGISTERS.argument1(), arguments[1]);
    set(REGISTERS.argument2(), arguments[2]);
    set(REGISTERS.argument3(), arguments[3]);
    set(REGISTERS.argument4(), arguments[4]);
    set(REGISTERS.argument5(), arguments[5]);
    runTo(stub, site, done, step);
    return result();
  }

  /**
   * Unmaps everything of a stub except the image, in one stop. Its registers are those of {@link
   * Architecture#fillInitial} afterwards, except the instruction pointer.
   */
  public void unmapAround(Tracee stub, long lowest, long highest, String step) {
    EntryArguments.UnmapAround arguments = ENTRIES.unmapAround();
    clearInput();
    set(arguments.lowAddress(), lowest);
    set(arguments.lowLength(), image.base() - lowest);
    set(arguments.highAddress(), image.end());
    set(arguments.highLength(), highest - image.end());
    runTo(
        stub,
        image.address(ImageSymbols.STUB_UNMAP_AROUND),
        image.address(ImageSymbols.STUB_UNMAP_AROUND_DONE),
        step);
    Failures.check(result(), "munmap", step);
  }

  /** Starts a run that makes child stubs in the source; the caller waits for the stops. */
  public void startCloning(Tracee source, long flags, long pidPageAddress, int count, String step) {
    EntryArguments.CloneMany arguments = ENTRIES.cloneMany();
    clearInput();
    set(arguments.flags(), flags);
    set(arguments.pids(), pidPageAddress);
    set(arguments.count(), count);
    start(source, image.address(ImageSymbols.STUB_CLONE_MANY), step);
  }

  private void runTo(Tracee tracee, long entry, long done, String step) {
    try {
      start(tracee, entry, step);
      awaitTrap(tracee, done, step);
    } catch (Error e) {
      tracee.kill(); // it may be anywhere in the run; its next user or the sweep reaps it
      throw e;
    }
  }

  /** Writes the input registers and lets the tracee run. */
  private void start(Tracee tracee, long entry, String step) {
    tracee.use();
    set(REGISTERS.instructionPointer(), entry);
    checkStopped(tracee, PtraceCalls.setRegisters(tracee.pid(), input.address()), "SETREGS", step);
    resume(tracee, step);
  }

  private void resume(Tracee tracee, String step) {
    checkStopped(tracee, PtraceCalls.resume(tracee.pid()), "CONT", step);
  }

  private void clearInput() {
    Architecture.current().fillInitial(input);
    set(REGISTERS.interruptedCall(), -1); // in no system call: the kernel has nothing to restart
  }

  private void set(int register, long value) {
    input.set(JAVA_LONG, register, value);
  }

  /** The result of the last run, as read when it ended. */
  public long result() {
    return output.get(JAVA_LONG, REGISTERS.callResult());
  }

  // ---- handing a thread to another tracer ----

  /** Detaches a stopped thread, which then sleeps in the image until another tracer seizes it. */
  public void park(Tracee thread, String step) {
    // While no tracer has the thread, the kernel acts on signals that others send, and the default
    // action of most would end the process.
    setSignalMask(thread, allSignals, step);
    clearInput();
    set(REGISTERS.instructionPointer(), image.address(ImageSymbols.STUB_PARK));
    checkStopped(thread, PtraceCalls.setRegisters(thread.pid(), input.address()), "SETREGS", step);
    long result = PtraceCalls.detach(thread.pid());
    if (result == 0) {
      thread.setTraced(false);
    }
    checkStopped(thread, result, "DETACH", step);
  }

  /** Gives a stopped thread the signal mask of all stubs. */
  public void restoreSignalMask(Tracee thread, String step) {
    setSignalMask(thread, stubSignals, step);
  }

  private void setSignalMask(Tracee thread, MemorySegment mask, String step) {
    long result = PtraceCalls.setSignalMask(thread.pid(), mask.address());
    checkStopped(thread, result, "SETSIGMASK", step);
  }

  /**
   * Ends the tracing of a thread of another process that was seized by mistake, because the number
   * of a dead thread was used again. The thread is not killed; if it stops for a signal first, it
   * loses that signal.
   */
  public void letGo(int tid) {
    PtraceCalls.interrupt(tid);
    pidWord.set(JAVA_INT, 0, tid);
    long start = System.nanoTime();
    long seen;
    while ((seen = WaitCalls.pollStop(pidWord.address(), siginfo.address(), POLLS)) == 0
        && System.nanoTime() - start < deadline.patience().toNanos()) {
      LockSupport.parkNanos(this, MOST_SLEEP_NANOS);
    }
    if (seen == 1) {
      PtraceCalls.detach(tid);
    } else if (seen == 0) {
      LOG.error("process {} was seized by mistake, and does not stop to be detached", tid);
    }
  }

  // ---- stops ----

  /**
   * Waits until a running tracee has executed the int3 before {@code done}; its registers are then
   * read, see {@link #result()}. Stops for signals that other processes sent are dropped, and the
   * kernel restarts a call that such a signal interrupted, because no register is written.
   *
   * @throws dev.stubpool.DeniedSystemCallException if the filter denied the call
   * @throws dev.stubpool.StubDiedException if the tracee died, or trapped elsewhere and was killed
   */
  public void awaitTrap(Tracee tracee, long done, String step) {
    long firstForeignStop = 0;
    while (true) {
      int status = awaitStop(tracee, step);
      if (status == Abi.SIGTRAP) {
        readRegisters(tracee, step);
        long address = output.get(JAVA_LONG, REGISTERS.instructionPointer());
        if (address == done) {
          return;
        }
        if (signalCode(tracee, step) > 0) {
          throw wrongTrap(tracee, address, step);
        }
      } else if (status == Abi.SIGSYS) {
        readRegisters(tracee, step);
        if (signalCode(tracee, step) == Abi.SYS_SECCOMP || isDeniedUnsaid()) {
          throw Failures.make().denied((int) output.get(JAVA_LONG, REGISTERS.interruptedCall()));
        }
      }
      long now = System.nanoTime();
      if (firstForeignStop == 0) {
        firstForeignStop = now;
      } else if (now - firstForeignStop > deadline.patience().toNanos()) {
        throw killLost(tracee, "held up by foreign signals for " + deadline.patience(), step);
      }
      resume(tracee, step);
    }
  }

  /**
   * Whether the registers, read at a stop for another process's SIGSYS, are those of a denied call.
   * While that signal is pending, the kernel drops the SIGSYS that tells of the denial (signal(7):
   * a standard signal does not queue). A denied call leaves its number as its result. Calls that
   * the filter allows return that only by coincidence, such as getpid in process 39.
   */
  private boolean isDeniedUnsaid() {
    long address = output.get(JAVA_LONG, REGISTERS.instructionPointer());
    long call = output.get(JAVA_LONG, REGISTERS.interruptedCall());
    return (address == callReturned || address == firstCallReturned)
        && call >= 0
        && call == result();
  }

  /**
   * Kills a tracee that trapped at an address where its run does not end; returns what to throw.
   */
  public RuntimeException wrongTrap(Tracee tracee, long address, String step) {
    if (address == image.address(ImageSymbols.STUB_FIRST_CALL_NOT_ARMED)) {
      int errno = (int) -result();
      LOG.warn("process {} cannot arm its parent death signal; killing it", tracee.pid());
      reaper.killAndReap(tracee); // it might outlive the JVM
      return Failures.make().systemCall("prctl(PR_SET_PDEATHSIG)", errno, step);
    }
    return killLost(tracee, "trapped at 0x" + Long.toHexString(address), step);
  }

  private RuntimeException killLost(Tracee tracee, String how, String step) {
    LOG.warn("process {} {}; killing it", tracee.pid(), how); // first: its end may be the JVM's
    reaper.killAndReap(tracee);
    return Failures.make().died(tracee.stub().pid(), how + ", killed", step);
  }

  /**
   * Waits until a running tracee stops, at most for its deadline.
   *
   * @return the signal it stopped for, with the ptrace event in the bits above 8
   * @throws dev.stubpool.StubDiedException if it died instead; it is reaped then
   * @throws dev.stubpool.StubUnresponsiveException if it neither stopped nor died of SIGKILL
   */
  public int awaitStop(Tracee tracee, String step) {
    int stop = awaitStopOrEnd(tracee, step);
    if (stop == ENDED) {
      throw reaper.died(tracee, step);
    }
    return stop;
  }

  /** {@link #awaitStop}, but {@link #ENDED} for a tracee that is dead, which is not reaped then. */
  public int awaitStopOrEnd(Tracee tracee, String step) {
    pidWord.set(JAVA_INT, 0, tracee.pid());
    long seen = WaitCalls.pollStop(pidWord.address(), siginfo.address(), POLLS);
    if (seen != 1 && awaitStopSlowly(tracee, seen, step) == ENDED) {
      return ENDED;
    }
    return siginfo.get(JAVA_INT, Abi.SIGINFO_status);
  }

  /** 0 if it stopped, or {@link #ENDED}. */
  private int awaitStopSlowly(Tracee tracee, long polled, String step) {
    long result = polled;
    if (polled == 0) {
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
      throw reaper.abandon(tracee, result, step);
    }
    return 0;
  }

  /**
   * Waits without blocking. The kernel does not report the death of a process before its other
   * threads are reaped, and their tracers may be busy in their callers' code, so a blocking wait
   * might not end. Polls, reaps those threads, and sleeps between the polls in proportion to the
   * time that the wait has lasted. The watchdog kills a process that is late; then this waits for
   * its death, or until the watchdog abandons it.
   */
  private long awaitStopBesideGuests(Tracee tracee) {
    long start = System.nanoTime();
    while (true) {
      reaper.reapGuestsOf(tracee);
      pidWord.set(JAVA_INT, 0, tracee.pid());
      long result = WaitCalls.pollStop(pidWord.address(), siginfo.address(), 1);
      if (result != 0) {
        return result;
      }
      if (deadline.isAbandoned()) {
        return -Errno.EINTR;
      }
      long waited = System.nanoTime() - start;
      LockSupport.parkNanos(this, Math.min(waited / SLEEP_DIVISOR, MOST_SLEEP_NANOS));
    }
  }

  /**
   * Waits until a guest stops, for as long as it computes: a signal ends the wait, or its death.
   *
   * @return as {@link #awaitStop}
   * @throws dev.stubpool.StubDiedException if it died instead; the caller has it reaped
   */
  public int awaitGuest(Tracee guest, String step) {
    pidWord.set(JAVA_INT, 0, guest.pid());
    long result = WaitCalls.pollStop(pidWord.address(), siginfo.address(), POLLS);
    if (result == 0) {
      do {
        result = WaitCalls.awaitStop(guest.pid(), siginfo.address());
      } while (result == -Errno.EINTR);
    }
    if (result < 0) {
      throw reaper.died(guest, step);
    }
    return siginfo.get(JAVA_INT, Abi.SIGINFO_status);
  }

  /**
   * Polls for a stop of the process whose pid is about to be written at {@code pidAddress}, and
   * consumes the stop.
   *
   * @return 1 if it stopped, else the result of {@link WaitCalls#pollStop}
   */
  public long pollNewborn(long pidAddress) {
    return WaitCalls.pollStop(pidAddress, siginfo.address(), POLLS);
  }

  /**
   * si_code of the signal that a tracee stopped for. Positive codes come from the kernel alone, for
   * an instruction of the tracee; signals that processes send have 0 or less (rt_sigqueueinfo(2)).
   */
  private int signalCode(Tracee tracee, String step) {
    long result = PtraceCalls.getSignalInfo(tracee.pid(), siginfo.address());
    if (result == -Errno.EINVAL) {
      return 0; // a stop without a signal: PTRACE_EVENT_STOP
    }
    checkStopped(tracee, result, "GETSIGINFO", step);
    return siginfo.get(JAVA_INT, Abi.SIGINFO_code);
  }

  /** Whether an instruction may have raised a signal, so that it need not be of another process. */
  public static boolean isRaisedByInstructions(int signal) {
    return signal == Abi.SIGSEGV
        || signal == Abi.SIGBUS
        || signal == Abi.SIGILL
        || signal == Abi.SIGFPE
        || signal == Abi.SIGTRAP
        || signal == Abi.SIGSYS;
  }

  private void readRegisters(Tracee tracee, String step) {
    checkStopped(tracee, PtraceCalls.getRegisters(tracee.pid(), output.address()), "GETREGS", step);
  }

  /**
   * Checks the result of a ptrace request on a tracee that should be stopped. ESRCH means that it
   * is being killed, because nothing else can have started it: waits for its death.
   *
   * @throws dev.stubpool.StubDiedException for ESRCH
   * @throws dev.stubpool.SystemCallException for any other error
   */
  public void checkStopped(Tracee tracee, long result, String request, String step) {
    if (result == -Errno.ESRCH) {
      throw reaper.died(tracee, step);
    }
    if (result < 0) { // the name is put together only then: every request passes here
      Failures.check(result, "ptrace(PTRACE_" + request + ")", step);
    }
  }

  /**
   * Hands processes that are not reaped yet to the watchdog, and ends. After an Error, can be
   * repeated.
   */
  @Override
  public void close() {
    reaper.handOver();
    Watchdog.forget(deadline);
    arena.close();
  }
}
