package dev.stubpool.kernel.process;

import dev.stubpool.Guest;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.InterruptedCallException;
import dev.stubpool.kernel.abi.InterruptedCallException.Restart;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.memory.UserMemory;
import dev.stubpool.kernel.signal.SignalInfo;
import dev.stubpool.kernel.signal.TaskSignals;
import dev.stubpool.kernel.sync.Sleeper;
import dev.stubpool.kernel.sync.WaitQueue;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A thread of a process: its tid, its signals, and the guest that executes it. Guarded by the
 * kernel's lock; the guest is only used by the JVM thread that runs the task.
 */
public final class Task {
  private static final int TRANSFER_SIZE = 1 << 18;

  private final ProcessTable table;
  private final Sleeper sleeper;
  private final TaskSignals signals = new TaskSignals(this::retarget);
  private final GuestProcess process;
  private int tid;
  private String name;
  private ProgramMemory memory;
  private Start next;
  private Guest guest;
  private boolean inGuest;
  private boolean leaving;
  private boolean keepsRegisters;
  private Restart interrupted;
  private int interruptedCall;
  private long lastDeadline;

  /** Allocated on first use, because many tasks move no data. */
  private ByteBuffer transfer;

  /** The deadline of a call to be restarted; null if there is none. */
  private Long keptDeadline;

  private long clearTidAddress;
  private long robustList;

  Task(ProcessTable table, GuestProcess process, int tid, String name) {
    this.table = table;
    this.process = process;
    this.tid = tid;
    this.name = name;
    this.sleeper = new Sleeper(table.lock());
  }

  /** The process. */
  public GuestProcess process() {
    return process;
  }

  /** The process table. */
  public ProcessTable table() {
    return table;
  }

  /** The tid. */
  public int tid() {
    return tid;
  }

  /** Sets the tid, for execve(2), whose caller becomes the first thread of the process. */
  void tid(int changed) {
    tid = changed;
  }

  /** The name, prctl(2) PR_SET_NAME. */
  public String name() {
    return name;
  }

  /** Sets the name. */
  public void name(String changed) {
    name = changed;
  }

  /** Its signals. */
  public TaskSignals signals() {
    return signals;
  }

  /** The memory in which it runs. */
  public ProgramMemory program() {
    return memory;
  }

  /** Access to its memory. */
  public UserMemory memory() {
    return memory.user();
  }

  /** An empty native transfer buffer for file data, with room for at most {@code size} bytes. */
  public ByteBuffer transfer(long size) {
    if (transfer == null) {
      transfer = ByteBuffer.allocateDirect(TRANSFER_SIZE);
    }
    return transfer.clear().limit((int) Math.min(size, TRANSFER_SIZE));
  }

  // ---- guest ----

  /** The guest that executes it. */
  public Guest guest() {
    return guest;
  }

  /** Sets the memory and the start for its next guest, and enters that memory. */
  void startIn(ProgramMemory changed, Start start) {
    memory = changed;
    memory.enter(this);
    next = start;
  }

  /** Whether a new guest must be run for it. */
  public boolean hasNext() {
    return next != null;
  }

  /** Sets the new guest and prepares its registers. */
  public void begin(Guest made) {
    guest = made;
    Start start = next;
    next = null;
    start.prepare(made);
  }

  /** Called before the guest runs and the lock is released. */
  public void beginGuest() {
    inGuest = true;
    memory.beginRun();
  }

  /** Called after the guest has stopped and the lock was taken. */
  public void endGuest() {
    inGuest = false;
  }

  /** Whether its guest runs. */
  boolean isInGuest() {
    return inGuest;
  }

  /** Interrupts the guest if it runs. */
  void interruptGuest() {
    if (inGuest) {
      guest.interrupter().interrupt();
    }
  }

  // ---- waiting ----

  /**
   * Repeats an attempt until it succeeds, and waits for a wake-up of one of the queues in between.
   *
   * @param queues the queues to wait in
   * @param deadline by {@link System#nanoTime}, or {@link Sleeper#NEVER}
   * @param restart whether the waiting call is restarted after a signal
   * @param attempt returns the result, or empty to wait
   * @return the result, or empty if the deadline came first
   * @throws InterruptedCallException if a signal came first
   */
  public <T> Optional<T> await(
      List<WaitQueue> queues, long deadline, Restart restart, Supplier<Optional<T>> attempt) {
    queues.forEach(queue -> queue.add(sleeper));
    try {
      while (true) {
        Optional<T> result = attempt.get();
        if (result.isPresent()) {
          return result;
        }
        if (hasWork()) {
          lastDeadline = deadline;
          throw new InterruptedCallException(restart);
        }
        if (!sleeper.sleep(deadline)) {
          return attempt.get();
        }
      }
    } finally {
      queues.forEach(queue -> queue.remove(sleeper));
    }
  }

  /**
   * The deadline for a wait of a given time. A call that is restarted after a signal without a
   * handler keeps its original deadline.
   */
  public long deadlineIn(Duration time) {
    if (keptDeadline != null) {
      return keptDeadline;
    }
    return Sleeper.deadline(System.nanoTime(), time);
  }

  /**
   * Repeats an operation on a file that throws EAGAIN, and waits in between, unless the file is
   * non-blocking, O_NONBLOCK.
   */
  public long await(OpenFile file, LongSupplier attempt) {
    return await(
            List.of(file.waiters()),
            Sleeper.NEVER,
            Restart.AS_ACTION_SAYS,
            () -> {
              try {
                return Optional.of(attempt.getAsLong());
              } catch (ErrnoException e) {
                if (e.errno() != Errno.EAGAIN || file.isNonBlocking()) {
                  throw e;
                }
                return Optional.empty();
              }
            })
        .orElseThrow();
  }

  /** Waits, interrupted only by fatal signals. */
  public void awaitUnlessKilled(WaitQueue queue, BooleanSupplier done) {
    queue.add(sleeper);
    try {
      while (!done.getAsBoolean() && !leaving) {
        boolean _ = sleeper.sleep(Sleeper.NEVER);
      }
    } finally {
      queue.remove(sleeper);
    }
  }

  /** Whether there is work before its guest resumes: a signal, or its end. */
  public boolean hasWork() {
    long set = signals.pending().set() | process.pendingSignals().set();
    return leaving || process.isStopped() || (set & ~signals.mask()) != 0;
  }

  /** Makes it check for work, whether it waits or its guest runs. */
  void notice() {
    sleeper.wake();
    interruptGuest();
  }

  // ---- signals ----

  /**
   * Sends a signal to this thread.
   *
   * @return whether it is pending now
   */
  public boolean send(SignalInfo info) {
    int signal = info.signal();
    boolean ignored = process.actions().ignores(signal) && !signals.blocks(signal);
    if (!process.prepareFor(signal) || ignored || !signals.pending().add(info)) {
      return false;
    }
    if (signals.wants(signal)) {
      notice();
    }
    return true;
  }

  /**
   * Sends a signal that was caused by one of its instructions. If it is blocked or ignored, it ends
   * the process.
   */
  public void force(SignalInfo info) {
    int signal = info.signal();
    if (signals.blocks(signal) || process.actions().of(signal).isIgnored()) {
      process.actions().reset(signal);
      signals.mask(signals.mask() & ~Signal.bit(signal));
    }
    boolean _ = signals.pending().add(info);
  }

  /** Takes the next signal that it does not block; null if there is none. */
  public SignalInfo nextSignal() {
    return take(~signals.mask());
  }

  private SignalInfo take(long set) {
    SignalInfo own = signals.pending().take(set);
    return own != null ? own : process.pendingSignals().take(set);
  }

  /**
   * Waits for a signal of a set, blocked or not, and takes it, sigtimedwait(2).
   *
   * @return empty if the deadline came first
   */
  public Optional<SignalInfo> awaitSignal(long set, long deadline) {
    signals.waitsFor(set);
    try {
      return await(
          List.of(), deadline, Restart.WITHOUT_HANDLER, () -> Optional.ofNullable(take(set)));
    } finally {
      signals.waitsFor(0);
    }
  }

  /**
   * Called when it has blocked signals: another thread may have to take those pending for the
   * process.
   */
  private void retarget(long blocked) {
    if (process.pendingSignals().has(blocked)) {
      process.retarget();
    }
  }

  // ---- end ----

  /** Marks it to end after its current operation. */
  public void leave() {
    leaving = true;
  }

  /** Whether it is marked to end. */
  public boolean isLeaving() {
    return leaving;
  }

  /** Ends it and wakes it or interrupts its guest. */
  void kill() {
    leaving = true;
    notice();
  }

  /** Waits until its process is continued after a stop. */
  public void awaitContinue() {
    while (process.isStopped() && !leaving) {
      boolean _ = sleeper.sleep(Sleeper.NEVER);
    }
  }

  /**
   * Prevents the call's result from being stored in the registers, for calls such as
   * rt_sigreturn(2).
   */
  public void keepRegisters() {
    keepsRegisters = true;
  }

  /** Returns and clears the request of {@link #keepRegisters}. */
  public boolean takeKeepsRegisters() {
    boolean keeps = keepsRegisters;
    keepsRegisters = false;
    return keeps;
  }

  /**
   * Records that a signal has interrupted the current call.
   *
   * @param number the call's number
   */
  public void interrupted(Restart restart, int number) {
    interrupted = restart;
    interruptedCall = number;
    keptDeadline = lastDeadline;
  }

  /** Called when the current call is complete, or a handler will run. */
  public void endCall() {
    keptDeadline = null;
    signals.endCall();
  }

  /** The number of the last interrupted call. */
  public int interruptedCall() {
    return interruptedCall;
  }

  /** Returns and clears the restart rule of the interrupted call; null if there is none. */
  public Restart takeInterrupted() {
    Restart restart = interrupted;
    interrupted = null;
    return restart;
  }

  /** The address that is cleared when it ends, set_tid_address(2); 0 for none. */
  public long clearTidAddress() {
    return clearTidAddress;
  }

  /** Sets it. */
  public void clearTidAddress(long address) {
    clearTidAddress = address;
  }

  /** The head of its robust futex list, set_robust_list(2); 0 for none. */
  public long robustList() {
    return robustList;
  }

  /** Sets it. */
  public void robustList(long address) {
    robustList = address;
  }
}
