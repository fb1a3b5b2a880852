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
 * A thread of a process: its number, its signals, and the guest that runs it. All of it is under
 * the kernel's lock; the guest is used by the thread that runs it alone.
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

  /** Made when it is first wanted: many a task has no data to move. */
  private ByteBuffer transfer;

  /** When a call that is made again is to be over; null if none is. */
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

  /** Its process. */
  public GuestProcess process() {
    return process;
  }

  /** All processes. */
  public ProcessTable table() {
    return table;
  }

  /** Its number. */
  public int tid() {
    return tid;
  }

  /** execve(2): who calls it is the process's first thread from then on. */
  void tid(int changed) {
    tid = changed;
  }

  /** What it is called, prctl(2) PR_SET_NAME. */
  public String name() {
    return name;
  }

  /** Sets it. */
  public void name(String changed) {
    name = changed;
  }

  /** Its signals. */
  public TaskSignals signals() {
    return signals;
  }

  /** The memory that it is in. */
  public ProgramMemory program() {
    return memory;
  }

  /** Copies to and from its memory. */
  public UserMemory memory() {
    return memory.user();
  }

  /** A native buffer for file data on their way, empty, with room for at most {@code size}. */
  public ByteBuffer transfer(long size) {
    if (transfer == null) {
      transfer = ByteBuffer.allocateDirect(TRANSFER_SIZE);
    }
    return transfer.clear().limit((int) Math.min(size, TRANSFER_SIZE));
  }

  // ---- its guest ----

  /** What runs it. */
  public Guest guest() {
    return guest;
  }

  /** Has it begin, with its next run, in a memory, which it enters. */
  void startIn(ProgramMemory changed, Start start) {
    memory = changed;
    memory.enter(this);
    next = start;
  }

  /** Whether a guest is to be run for it. */
  public boolean hasNext() {
    return next != null;
  }

  /** A guest was made for it: from here on it is that. */
  public void begin(Guest made) {
    guest = made;
    Start start = next;
    next = null;
    start.prepare(made);
  }

  /** The guest runs from now on, and the lock is given up. */
  public void beginGuest() {
    inGuest = true;
    memory.beginRun();
  }

  /** The guest has stopped, and the lock was taken. */
  public void endGuest() {
    inGuest = false;
  }

  /** Whether its guest runs. */
  boolean isInGuest() {
    return inGuest;
  }

  /** Has the guest come back if it runs. */
  void interruptGuest() {
    if (inGuest) {
      guest.interrupter().interrupt();
    }
  }

  // ---- waiting ----

  /**
   * Makes attempts until one succeeds, and between them waits until somebody says that something
   * has changed.
   *
   * @param queues who says it
   * @param deadline by {@link System#nanoTime}, or {@link Sleeper#NEVER}
   * @param restart whether the call that waits is made again after a signal
   * @param attempt gives the result, or empty to wait
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
   * When a call is over that waits so long: if it is made again after a signal that no handler was
   * run for, when it was to be over at first.
   */
  public long deadlineIn(Duration time) {
    if (keptDeadline != null) {
      return keptDeadline;
    }
    return Sleeper.deadline(System.nanoTime(), time);
  }

  /**
   * Does something with a file that throws EAGAIN while it would have to wait, and waits meanwhile,
   * unless the file is not to be waited for, O_NONBLOCK.
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

  /** Waits, whatever signals come, but those that end it. */
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

  /** Whether there is something to be done before its guest goes on: a signal, or its end. */
  public boolean hasWork() {
    long set = signals.pending().set() | process.pendingSignals().set();
    return leaving || process.isStopped() || (set & ~signals.mask()) != 0;
  }

  /** Has it look at what is to be done, whether it waits or its guest runs. */
  void notice() {
    sleeper.wake();
    interruptGuest();
  }

  // ---- signals ----

  /**
   * Sends it a signal, and not its process.
   *
   * @return whether it waits to be taken
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
   * Sends it a signal that an instruction of its own caused: it cannot be blocked or ignored, and
   * ends a process that tried.
   */
  public void force(SignalInfo info) {
    int signal = info.signal();
    if (signals.blocks(signal) || process.actions().of(signal).isIgnored()) {
      process.actions().reset(signal);
      signals.mask(signals.mask() & ~Signal.bit(signal));
    }
    boolean _ = signals.pending().add(info);
  }

  /** The next signal that it does not block; null if there is none. */
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

  /** It has blocked signals: another thread may have to take those that wait for any. */
  private void retarget(long blocked) {
    if (process.pendingSignals().has(blocked)) {
      process.retarget();
    }
  }

  // ---- its end ----

  /** It ends after what it does now. */
  public void leave() {
    leaving = true;
  }

  /** Whether it ends. */
  public boolean isLeaving() {
    return leaving;
  }

  /** Ends it, whatever it does. */
  void kill() {
    leaving = true;
    notice();
  }

  /** Stops waiting for its process to go on after SIGSTOP, once that is so. */
  public void awaitContinue() {
    while (process.isStopped() && !leaving) {
      boolean _ = sleeper.sleep(Sleeper.NEVER);
    }
  }

  /** rt_sigreturn(2) and the like: the call's result is not to be put into the registers. */
  public void keepRegisters() {
    keepsRegisters = true;
  }

  /** Whether the call that was served wanted that. */
  public boolean takeKeepsRegisters() {
    boolean keeps = keepsRegisters;
    keepsRegisters = false;
    return keeps;
  }

  /**
   * The call that it stopped for was interrupted by a signal.
   *
   * @param number of the call
   */
  public void interrupted(Restart restart, int number) {
    interrupted = restart;
    interruptedCall = number;
    keptDeadline = lastDeadline;
  }

  /** The call that it stopped for is over, or a handler comes in between. */
  public void endCall() {
    keptDeadline = null;
    signals.endCall();
  }

  /** The number of the call that was interrupted last. */
  public int interruptedCall() {
    return interruptedCall;
  }

  /** When the call that was interrupted is to be made again; null if none was. */
  public Restart takeInterrupted() {
    Restart restart = interrupted;
    interrupted = null;
    return restart;
  }

  /** Where a 0 is to be written when it ends, set_tid_address(2); 0 for nowhere. */
  public long clearTidAddress() {
    return clearTidAddress;
  }

  /** Sets it. */
  public void clearTidAddress(long address) {
    clearTidAddress = address;
  }

  /** The head of its list of robust futexes, set_robust_list(2); 0 for none. */
  public long robustList() {
    return robustList;
  }

  /** Sets it. */
  public void robustList(long address) {
    robustList = address;
  }
}
