package dev.stubpool.kernel.process;

import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.file.DescriptorTable;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.fs.FileTree;
import dev.stubpool.kernel.fs.Location;
import dev.stubpool.kernel.signal.PendingSignals;
import dev.stubpool.kernel.signal.SignalActions;
import dev.stubpool.kernel.signal.SignalInfo;
import dev.stubpool.kernel.sync.WaitQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A guest process: the state that its threads share. Guarded by the kernel's lock. */
public final class GuestProcess {
  private static final long STOPS =
      Signal.bit(Signal.SIGSTOP)
          | Signal.bit(Signal.SIGTSTP)
          | Signal.bit(Signal.SIGTTIN)
          | Signal.bit(Signal.SIGTTOU);

  private final ProcessTable table;
  private final int pid;
  private final List<Task> tasks = new ArrayList<>();
  private final List<GuestProcess> children = new ArrayList<>();
  private final WaitQueue childrenChanged = new WaitQueue();
  private final WaitQueue tasksChanged = new WaitQueue();
  private final WaitQueue memoryLeft = new WaitQueue();
  private final PendingSignals pending = new PendingSignals();
  private final long started = System.nanoTime();
  private final Identity identity;
  private final FileTree files;
  private GuestProcess parent;
  private DescriptorTable descriptors;
  private final SignalActions actions;
  private final Limits limits;
  private final ProcessTimers timers;
  private Program program;
  private Location workingDirectory;
  private int umask;
  private int group;
  private int session;
  private final int exitSignal;
  private boolean stopped;
  private boolean ending;
  private boolean zombie;
  private int waitStatus;
  private int changeStatus;
  private Duration ownCpuTime = Duration.ZERO;
  private Duration childrenCpuTime = Duration.ZERO;

  /**
   * The program of a process, for /proc.
   *
   * @param path the path that was executed
   * @param file its location
   */
  public record Program(
      String path, Location file, List<String> arguments, List<String> environment) {
    /** The name of its first thread: the last name of the path, truncated as by prctl(2). */
    public String name() {
      String last = path.substring(path.lastIndexOf('/') + 1);
      return last.substring(0, Math.min(last.length(), 15));
    }
  }

  /** Creates the first process. */
  GuestProcess(
      ProcessTable table,
      int pid,
      Program program,
      DescriptorTable descriptors,
      FileTree files,
      Identity identity,
      Location workingDirectory) {
    this.table = table;
    this.pid = pid;
    this.group = pid;
    this.session = pid;
    this.program = program;
    this.descriptors = descriptors;
    this.files = files;
    this.identity = identity;
    this.workingDirectory = workingDirectory;
    this.umask = 022;
    this.actions = new SignalActions();
    this.limits = new Limits();
    this.exitSignal = 0;
    this.timers = new ProcessTimers(table, this);
  }

  /** Creates a child as by fork(2). */
  GuestProcess(GuestProcess parent, int pid, boolean sharesDescriptors, int exitSignal) {
    this.table = parent.table;
    this.pid = pid;
    this.parent = parent;
    this.group = parent.group;
    this.session = parent.session;
    this.program = parent.program;
    this.descriptors = sharesDescriptors ? parent.descriptors.shared() : parent.descriptors.copy();
    this.files = parent.files;
    this.identity = parent.identity;
    this.workingDirectory = parent.workingDirectory;
    this.umask = parent.umask;
    this.actions = parent.actions.copy();
    this.limits = parent.limits.copy();
    this.exitSignal = exitSignal;
    this.timers = new ProcessTimers(table, this);
    parent.children.add(this);
  }

  // ---- identity ----

  /** The pid. */
  public int pid() {
    return pid;
  }

  /** The parent; null for the first process. */
  public GuestProcess parent() {
    return parent;
  }

  /** The process group. */
  public int group() {
    return group;
  }

  /** setpgid(2). */
  public void group(int changed) {
    group = changed;
  }

  /** The session. */
  public int session() {
    return session;
  }

  /** setsid(2). */
  public void session(int changed) {
    session = changed;
  }

  /** The user and group. */
  public Identity identity() {
    return identity;
  }

  /** The program. */
  public Program program() {
    return program;
  }

  /** Changes the program and resets what execve(2) resets. */
  void exec(Program changed) {
    program = changed;
    descriptors = descriptors.unshared();
    descriptors.exec();
    actions.exec();
    timers.exec();
  }

  /** The time of its creation, by {@link System#nanoTime}. */
  public long started() {
    return started;
  }

  // ---- resources ----

  /** The threads, in order; the first thread comes first while it lives. */
  public List<Task> tasks() {
    return tasks;
  }

  /** Its descriptors. */
  public DescriptorTable descriptors() {
    return descriptors;
  }

  /** The files that it sees. */
  public FileTree files() {
    return files;
  }

  /** Its limits. */
  public Limits limits() {
    return limits;
  }

  /** The working directory. */
  public Location workingDirectory() {
    return workingDirectory;
  }

  /** chdir(2). */
  public void workingDirectory(Location directory) {
    workingDirectory = directory;
  }

  /** The file mode creation mask, umask(2). */
  public int umask() {
    return umask;
  }

  /** Sets the file mode creation mask. */
  public void umask(int changed) {
    umask = changed;
  }

  /** The CPU time of its threads, with a resolution of 10 ms. */
  public Duration cpuTime() {
    return tasks.isEmpty()
        ? ownCpuTime
        : ownCpuTime.plus(CpuTime.of(tasks.getFirst().program().stub().pid()));
  }

  /** The CPU time including that of reaped children. */
  public Duration totalCpuTime() {
    return cpuTime().plus(childrenCpuTime);
  }

  /** Records the CPU time of the current stub before the process leaves it. */
  void noteCpuTime() {
    ownCpuTime = cpuTime();
  }

  /** The CPU time of reaped children. */
  public Duration childrenCpuTime() {
    return childrenCpuTime;
  }

  // ---- children ----

  /** The children, zombies included. */
  public List<GuestProcess> children() {
    return children;
  }

  /** The queue of threads that wait for a child. */
  public WaitQueue childrenChanged() {
    return childrenChanged;
  }

  /** The queue of those that wait for the end of one of its threads. */
  public WaitQueue tasksChanged() {
    return tasksChanged;
  }

  /**
   * The queue of the parent of a vfork(2) child, woken when the child has left the shared memory.
   */
  public WaitQueue memoryLeft() {
    return memoryLeft;
  }

  /** Reaps the zombie after its parent has waited for it. */
  public void reap() {
    parent.children.remove(this);
    parent.childrenCpuTime = parent.childrenCpuTime.plus(totalCpuTime());
    table.forget(this);
  }

  void parent(GuestProcess changed) {
    parent = changed;
  }

  // ---- signals ----

  /** The signal dispositions. */
  public SignalActions actions() {
    return actions;
  }

  /** The signals pending for the process. */
  public PendingSignals pendingSignals() {
    return pending;
  }

  /** Its timers. */
  public ProcessTimers timers() {
    return timers;
  }

  /**
   * Sends a signal to the process; a thread that does not block it will take it.
   *
   * @return whether it is pending now
   */
  public boolean send(SignalInfo info) {
    int signal = info.signal();
    if (!prepareFor(signal) || isIgnored(signal) || !pending.add(info)) {
      return false;
    }
    tasks.stream().filter(task -> task.signals().wants(signal)).findFirst().ifPresent(Task::notice);
    return true;
  }

  /** Whether it ignores a signal that not all of its threads block. */
  private boolean isIgnored(int signal) {
    return actions.ignores(signal)
        && tasks.stream().anyMatch(task -> !task.signals().blocks(signal));
  }

  /**
   * Performs the effects of a signal at the time it is sent, even if it is blocked: SIGKILL,
   * SIGCONT and stop signals.
   *
   * @return false if it needs no delivery
   */
  boolean prepareFor(int signal) {
    if (signal == Signal.SIGKILL) {
      end(ExitStatus.killed(signal));
    }
    if (ending) {
      return false;
    }
    if (Signal.isStop(signal)) {
      drop(Signal.bit(Signal.SIGCONT));
    }
    if (signal == Signal.SIGCONT) {
      drop(STOPS);
      goOn();
    }
    return true;
  }

  /** Drops signals that are pending for it or one of its threads. */
  public void drop(long set) {
    pending.drop(set);
    tasks.forEach(task -> task.signals().pending().drop(set));
  }

  /**
   * Notifies threads that can take the process's pending signals, after the notified one may have
   * blocked them.
   */
  void retarget() {
    if (pending.set() != 0) {
      tasks.stream().filter(Task::hasWork).forEach(Task::notice);
    }
  }

  /** Whether SIGSTOP has stopped it. */
  public boolean isStopped() {
    return stopped;
  }

  /** Stops it, until SIGCONT or SIGKILL. */
  void stop(int signal) {
    stopped = true;
    tasks.forEach(Task::notice);
    change(ExitStatus.stopped(signal));
  }

  private void goOn() {
    if (stopped) {
      stopped = false;
      tasks.forEach(Task::notice);
      change(ExitStatus.CONTINUED);
    }
  }

  private void change(int status) {
    changeStatus = status;
    if (parent == null) {
      return;
    }
    if (!parent.actions.of(Signal.SIGCHLD).has(SignalActions.SA_NOCLDSTOP)) {
      boolean _ = parent.send(ExitStatus.info(this, Signal.SIGCHLD));
    }
    parent.childrenChanged.wakeAll();
  }

  /** Clears the stop or continue status after the parent has received it. */
  public void changeTold() {
    changeStatus = 0;
  }

  /**
   * The status for wait(2): the exit status of a zombie; else a stop or continue status that the
   * parent has not received yet, or 0.
   */
  public int status() {
    return zombie ? waitStatus : changeStatus;
  }

  // ---- end ----

  /**
   * Ends all of its threads.
   *
   * @param status the exit status as of wait(2); the first call's is kept
   */
  public void end(int status) {
    if (!ending) {
      ending = true;
      waitStatus = status;
      tasks.forEach(Task::kill);
    }
  }

  /** Whether it is ending, or has ended. */
  public boolean isEnding() {
    return ending;
  }

  /** Whether it has ended but was not reaped. */
  public boolean isZombie() {
    return zombie;
  }

  void becomeZombie() {
    zombie = true;
  }

  /** The exit status as of wait(2). */
  public int waitStatus() {
    return waitStatus;
  }

  void waitStatus(int status) {
    waitStatus = status;
  }

  /** The signal that reports its end to its parent; 0 for none. */
  public int exitSignal() {
    return exitSignal;
  }
}
