package dev.stubpool.kernel.process;

import dev.stubpool.StubPool;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.file.DescriptorTable;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.KernelFiles;
import dev.stubpool.kernel.fs.FileTree;
import dev.stubpool.kernel.fs.Location;
import dev.stubpool.kernel.memory.FutexTable;
import dev.stubpool.kernel.memory.MemoryBudget;
import dev.stubpool.kernel.signal.AlarmClock;
import dev.stubpool.kernel.signal.AlarmThread;
import dev.stubpool.kernel.signal.SignalInfo;
import dev.stubpool.kernel.sync.KernelLock;
import dev.stubpool.kernel.sync.Sleeper;
import dev.stubpool.kernel.sync.WaitQueue;
import java.util.ArrayList;
import java.util.Collection;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * All processes and threads of one sandbox, and what belongs to it as a whole. Under the kernel's
 * lock, which is here.
 *
 * <p>Process 1 is the kernel itself: it is the parent of the first process and of orphans, and
 * forgets them when they end. When the first process ends, all others are killed.
 */
public final class ProcessTable {
  /** The number of the first process. */
  public static final int FIRST_PID = 2;

  /** The parent of the first process and of orphans: the kernel. */
  public static final int INIT_PID = 1;

  private static final int LARGEST_PID = 1 << 22;

  /** Whose task the calling thread runs. */
  private static final ThreadLocal<Task> CURRENT = new ThreadLocal<>();

  private final KernelLock lock = new KernelLock();
  private final KernelFiles files;
  private final AlarmThread clock = new AlarmThread(lock, this::fail);
  private final FutexTable futexes = new FutexTable();
  private final WaitQueue ended = new WaitQueue();
  private final TreeMap<Integer, GuestProcess> processes = new TreeMap<>();
  private final TreeMap<Integer, Task> tasks = new TreeMap<>();
  private final StubPool pool;
  private final MemoryBudget memory;
  private final int mostTasks;
  private final Consumer<Task> starter;
  private final Consumer<String> diagnostics;
  private int lastPid = INIT_PID;
  private int running;
  private long processesMade;
  private long stubsLeased;
  private long otherTraps;
  private GuestProcess first;
  private RuntimeException failure;

  /**
   * Makes an empty table.
   *
   * @param memory what all processes together may have
   * @param mostTasks how many threads there may be, of all processes
   * @param starter has a thread run a task
   * @param diagnostics who is told what a program wants and does not get
   */
  public ProcessTable(
      StubPool pool,
      MemoryBudget memory,
      int mostTasks,
      Consumer<Task> starter,
      Consumer<String> diagnostics) {
    this.pool = pool;
    this.memory = memory;
    this.files = new KernelFiles(memory);
    this.mostTasks = mostTasks;
    this.starter = starter;
    this.diagnostics = diagnostics;
  }

  /** The lock. */
  public KernelLock lock() {
    return lock;
  }

  /** What has things done later. */
  public AlarmClock clock() {
    return clock;
  }

  /** Where stubs come from. */
  public StubPool pool() {
    return pool;
  }

  /** What all processes together may have. */
  public MemoryBudget memory() {
    return memory;
  }

  /** What open files have in common. */
  public KernelFiles files() {
    return files;
  }

  /** Who waits for words in memory. */
  public FutexTable futexes() {
    return futexes;
  }

  /** Tells whoever runs the sandbox. */
  public void tell(String message) {
    diagnostics.accept(message);
  }

  // ---- who there is ----

  /** Makes the first process, with one thread. */
  public Task makeFirst(
      GuestProcess.Program program,
      DescriptorTable descriptors,
      FileTree files,
      Identity identity,
      Location workingDirectory) {
    int pid = nextPid();
    first = new GuestProcess(this, pid, program, descriptors, files, identity, workingDirectory);
    processes.put(pid, first);
    processesMade++;
    return addTask(first, pid, program.name());
  }

  /** Makes a child of a process, with no thread yet. */
  GuestProcess makeChild(GuestProcess parent, boolean sharesDescriptors, int exitSignal) {
    GuestProcess child = new GuestProcess(parent, nextPid(), sharesDescriptors, exitSignal);
    processes.put(child.pid(), child);
    processesMade++;
    return child;
  }

  Task addTask(GuestProcess process, int tid, String name) {
    Task task = new Task(this, process, tid, name);
    tasks.put(tid, task);
    process.tasks().add(task);
    if (process.isEnding()) {
      task.leave();
    }
    return task;
  }

  /**
   * Checks that there may be one more thread: zombies count, too.
   *
   * @throws ErrnoException EAGAIN
   */
  void checkRoom() {
    if (tasks.size() >= mostTasks || processes.size() >= mostTasks || first.isEnding()) {
      throw new ErrnoException(Errno.EAGAIN);
    }
  }

  int nextPid() {
    do {
      lastPid = lastPid >= LARGEST_PID ? FIRST_PID : lastPid + 1;
    } while (processes.containsKey(lastPid) || tasks.containsKey(lastPid) || isGroup(lastPid));
    return lastPid;
  }

  private boolean isGroup(int id) {
    return processes.values().stream().anyMatch(p -> p.group() == id || p.session() == id);
  }

  /** A thread takes the number of its process, execve(2). */
  void renumber(Task task) {
    tasks.remove(task.tid());
    task.tid(task.process().pid());
    tasks.put(task.tid(), task);
  }

  /** The process of a number, one that was not waited for too; null if there is none. */
  public GuestProcess process(int pid) {
    return processes.get(pid);
  }

  /** All processes, by number. */
  public Collection<GuestProcess> processes() {
    return processes.values();
  }

  /** The first process. */
  public GuestProcess first() {
    return first;
  }

  /**
   * Whether nobody outside of a process group can have it go on when it was stopped: no parent of
   * its processes is in another group of their session.
   */
  boolean isOrphaned(GuestProcess process) {
    return processes.values().stream()
        .filter(member -> member.group() == process.group() && member.parent() != null)
        .noneMatch(
            member ->
                member.parent().group() != process.group()
                    && member.parent().session() == process.session());
  }

  /** The thread of a number; null if there is none. */
  public Task task(int tid) {
    return tasks.get(tid);
  }

  /** How many threads there are, of all processes. */
  public int taskCount() {
    return tasks.size();
  }

  /** The task that the calling thread runs; null if it runs none. */
  public static Task current() {
    return CURRENT.get();
  }

  /** The calling thread runs a task, or none (null). */
  public static void current(Task task) {
    if (task == null) {
      CURRENT.remove();
    } else {
      CURRENT.set(task);
    }
  }

  // ---- what happened ----

  /** How many processes there were. */
  public long processesMade() {
    return processesMade;
  }

  /** How many stubs were leased. */
  public long stubsLeased() {
    return stubsLeased;
  }

  void countStub() {
    stubsLeased++;
  }

  /** How many traps there were that were no system calls. */
  public long otherTraps() {
    return otherTraps;
  }

  /** There was one. */
  public void countOtherTrap() {
    otherTraps++;
  }

  // ---- beginning and end ----

  /** Has a thread run a task, whose start was set. */
  public void start(Task task) {
    running++;
    starter.accept(task);
  }

  /** The thread that ran a task is done with it, and with its stub. */
  public void finished() {
    running--;
    ended.wakeAll();
  }

  /**
   * A task has ended: with it its process if it was the last, with that all if it was the first.
   */
  public void ended(Task task) {
    if (tasks.remove(task.tid(), task)) {
      TaskEnd.leaveMemory(task);
      GuestProcess process = task.process();
      if (process.tasks().size() == 1) {
        process.noteCpuTime();
      }
      process.tasks().remove(task);
      process.retarget();
      process.tasksChanged().wakeAll();
      if (process.tasks().isEmpty()) {
        ended(process);
      }
      ended.wakeAll();
      if (tasks.isEmpty()) {
        clock.close();
      }
    }
  }

  private void ended(GuestProcess process) {
    process.end(process.waitStatus()); // its threads may have ended one by one
    process.becomeZombie();
    process.timers().close();
    process.descriptors().close();
    process.memoryLeft().wakeAll();
    orphan(process);
    GuestProcess parent = process.parent();
    if (parent == null) {
      forget(process);
    } else {
      tellParent(process, parent);
    }
    if (process == first) {
      killAll();
    }
  }

  private void orphan(GuestProcess process) {
    for (GuestProcess child : process.children()) {
      child.parent(null);
      if (child.isZombie()) {
        forget(child);
      }
    }
    process.children().clear();
  }

  private static void tellParent(GuestProcess process, GuestProcess parent) {
    boolean forgets = process.exitSignal() == Signal.SIGCHLD && parent.actions().forgetsChildren();
    if (process.exitSignal() != 0) {
      boolean _ = parent.send(ExitStatus.info(process, process.exitSignal()));
    }
    if (forgets) {
      process.reap();
    }
    parent.childrenChanged().wakeAll();
  }

  /** A process that was waited for, or that nobody waits for, is no more. */
  void forget(GuestProcess process) {
    processes.remove(process.pid());
  }

  /** Ends all processes. */
  public void killAll() {
    for (GuestProcess process : processes.values()) {
      process.end(ExitStatus.killed(Signal.SIGKILL));
    }
  }

  /** Sends a signal to all processes of the first one's group, as a terminal does. */
  public void signalForeground(int signal) {
    for (GuestProcess process : new ArrayList<>(processes.values())) {
      if (process.group() == first.group()) {
        boolean _ = process.send(SignalInfo.ofKernel(signal));
      }
    }
  }

  /** Something happened that ends the whole sandbox; the first counts. */
  public void fail(RuntimeException e) {
    if (failure == null) {
      failure = e;
    }
    killAll();
  }

  /**
   * Waits until all have ended and given back their stubs, in a thread that runs no task and has
   * the lock.
   *
   * @param deadline by {@link System#nanoTime}, or {@link Sleeper#NEVER}
   * @return whether they have
   * @throws RuntimeException what {@link #fail} was told
   */
  public boolean awaitEnd(long deadline) {
    Sleeper sleeper = new Sleeper(lock);
    ended.add(sleeper);
    try {
      while (running > 0) {
        if (!sleeper.sleep(deadline)) {
          return false;
        }
      }
    } finally {
      ended.remove(sleeper);
    }
    if (failure != null) {
      throw failure;
    }
    return true;
  }
}
