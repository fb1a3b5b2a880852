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

/** A process of the guest's: what all of its threads share. Under the kernel's lock. */
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
   * What a process runs, as /proc tells it.
   *
   * @param path that it was executed by
   * @param file where that led
   */
  public record Program(
      String path, Location file, List<String> arguments, List<String> environment) {
    /** What its first thread is called: the last name of its path, cut as prctl(2) says. */
    public String name() {
      String last = path.substring(path.lastIndexOf('/') + 1);
      return last.substring(0, Math.min(last.length(), 15));
    }
  }

  /** The first process. */
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

  /** A child, as fork(2) makes it. */
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

  // ---- who it is ----

  /** Its number. */
  public int pid() {
    return pid;
  }

  /** Its parent; null of the first process. */
  public GuestProcess parent() {
    return parent;
  }

  /** Its process group. */
  public int group() {
    return group;
  }

  /** setpgid(2). */
  public void group(int changed) {
    group = changed;
  }

  /** Its session. */
  public int session() {
    return session;
  }

  /** setsid(2). */
  public void session(int changed) {
    session = changed;
  }

  /** Whom it runs as. */
  public Identity identity() {
    return identity;
  }

  /** What it runs. */
  public Program program() {
    return program;
  }

  /** It goes on with another program: what execve(2) says changes. */
  void exec(Program changed) {
    program = changed;
    descriptors = descriptors.unshared();
    descriptors.exec();
    actions.exec();
    timers.exec();
  }

  /** When it was made, by {@link System#nanoTime}. */
  public long started() {
    return started;
  }

  // ---- what it has ----

  /** Its threads, the first one first as long as there is one. */
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

  /** Where relative paths begin. */
  public Location workingDirectory() {
    return workingDirectory;
  }

  /** chdir(2). */
  public void workingDirectory(Location directory) {
    workingDirectory = directory;
  }

  /** Bits that new files do not get, umask(2). */
  public int umask() {
    return umask;
  }

  /** Sets them. */
  public void umask(int changed) {
    umask = changed;
  }

  /** How long its threads had a CPU, to a hundredth of a second. */
  public Duration cpuTime() {
    return tasks.isEmpty()
        ? ownCpuTime
        : ownCpuTime.plus(CpuTime.of(tasks.getFirst().program().stub().pid()));
  }

  /** That, and of those children for which it has waited. */
  public Duration totalCpuTime() {
    return cpuTime().plus(childrenCpuTime);
  }

  /** Its stub is no longer its own: what it has had of a CPU is noted. */
  void noteCpuTime() {
    ownCpuTime = cpuTime();
  }

  /** How long children had one for which it has waited. */
  public Duration childrenCpuTime() {
    return childrenCpuTime;
  }

  // ---- its children ----

  /** Its children, those that have ended and were not waited for among them. */
  public List<GuestProcess> children() {
    return children;
  }

  /** Wakes who waits for a child. */
  public WaitQueue childrenChanged() {
    return childrenChanged;
  }

  /** Wakes who waits for a thread of it to end. */
  public WaitQueue tasksChanged() {
    return tasksChanged;
  }

  /** Wakes the parent of a child of vfork(2), once that has its own memory or none. */
  public WaitQueue memoryLeft() {
    return memoryLeft;
  }

  /** The parent has waited for it: it is no more. */
  public void reap() {
    parent.children.remove(this);
    parent.childrenCpuTime = parent.childrenCpuTime.plus(totalCpuTime());
    table.forget(this);
  }

  void parent(GuestProcess changed) {
    parent = changed;
  }

  // ---- signals ----

  /** What it does with signals. */
  public SignalActions actions() {
    return actions;
  }

  /** Signals that wait for any of its threads. */
  public PendingSignals pendingSignals() {
    return pending;
  }

  /** Its timers. */
  public ProcessTimers timers() {
    return timers;
  }

  /**
   * Sends it a signal: one of its threads that does not block it gets it.
   *
   * @return whether it waits to be taken
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
   * What a signal does when it is sent, whether it is blocked or not: SIGKILL, SIGCONT, and those
   * that stop.
   *
   * @return false if nothing is left for it to do
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

  /** Drops signals that wait for it or one of its threads. */
  public void drop(long set) {
    pending.drop(set);
    tasks.forEach(task -> task.signals().pending().drop(set));
  }

  /** Signals that wait for any thread may no longer be for the one that was told. */
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

  /** Its parent has waited for it to stop or to go on: that is no news any more. */
  public void changeTold() {
    changeStatus = 0;
  }

  /**
   * What wait(2) tells of it: how it ended; before that, that it was stopped or goes on, 0 if that
   * is no news.
   */
  public int status() {
    return zombie ? waitStatus : changeStatus;
  }

  // ---- its end ----

  /**
   * Ends all of its threads.
   *
   * @param status as wait(2) tells it; the first one counts
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

  /** Whether it has ended and was not waited for. */
  public boolean isZombie() {
    return zombie;
  }

  void becomeZombie() {
    zombie = true;
  }

  /** How it ended, as wait(2) tells it. */
  public int waitStatus() {
    return waitStatus;
  }

  void waitStatus(int status) {
    waitStatus = status;
  }

  /** The signal that tells its parent of its end; 0 for none. */
  public int exitSignal() {
    return exitSignal;
  }
}
