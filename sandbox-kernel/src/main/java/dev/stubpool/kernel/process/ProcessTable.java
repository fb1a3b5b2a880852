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
 * All processes and threads of a sandbox, and its shared state. Guarded by the kernel's lock, which
 * it owns.
 *
 * <p>Process 1 is the kernel itself. It is the parent of the first process and of orphans, which it
 * reaps at once. When the first process ends, all others are killed.
 */
public final class ProcessTable {
  /** The pid of the first process. */
  public static final int FIRST_PID = 2;

  /** The pid of the kernel, the parent of the first process and of orphans. */
  public static final int INIT_PID = 1;

  private static final int LARGEST_PID = 1 << 22;

  /** The task that the current thread runs. */
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
   * Creates an empty table.
   *
   * @param memory the memory budget of all processes
   * @param mostTasks the limit for the threads of all processes
   * @param starter starts a thread for a task
   * @param diagnostics receives messages about unsupported requests
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

  /** The kernel's lock. */
  public KernelLock lock() {
    return lock;
  }

  /** The clock that runs timers. */
  public AlarmClock clock() {
    return clock;
  }

  /** The pool of stubs. */
  public StubPool pool() {
    return pool;
  }

  /** The memory budget of all processes. */
  public MemoryBudget memory() {
    return memory;
  }

  /** The shared state of open files. */
  public KernelFiles files() {
    return files;
  }

  /** The futexes. */
  public FutexTable futexes() {
    return futexes;
  }

  /** Reports a message to the embedder. */
  public void tell(String message) {
    diagnostics.accept(message);
  }

  // ---- processes and threads ----

  /** Creates the first process with one thread. */
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

  /** Creates a child of a process, with no thread yet. */
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
   * Checks that one more thread is allowed; zombies count.
   *
   * @throws ErrnoException EAGAIN if the limit is reached
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

  /** Gives a thread the pid of its process as its tid, execve(2). */
  void renumber(Task task) {
    tasks.remove(task.tid());
    task.tid(task.process().pid());
    tasks.put(task.tid(), task);
  }

  /** The process with a pid, also a zombie; null if there is none. */
  public GuestProcess process(int pid) {
    return processes.get(pid);
  }

  /** All processes, by pid. */
  public Collection<GuestProcess> processes() {
    return processes.values();
  }

  /** The first process. */
  public GuestProcess first() {
    return first;
  }

  /**
   * Whether a process's group is orphaned: no parent of its members is in another group of the same
   * session, which could continue stopped members.
   */
  boolean isOrphaned(GuestProcess process) {
    return processes.values().stream()
        .filter(member -> member.group() == process.group() && member.parent() != null)
        .noneMatch(
            member ->
                member.parent().group() != process.group()
                    && member.parent().session() == process.session());
  }

  /** The thread with a tid; null if there is none. */
  public Task task(int tid) {
    return tasks.get(tid);
  }

  /** The number of threads of all processes. */
  public int taskCount() {
    return tasks.size();
  }

  /** The task that the current thread runs; null if there is none. */
  public static Task current() {
    return CURRENT.get();
  }

  /** Sets the task that the current thread runs, or null. */
  public static void current(Task task) {
    if (task == null) {
      CURRENT.remove();
    } else {
      CURRENT.set(task);
    }
  }

  // ---- statistics ----

  /** The number of processes created so far. */
  public long processesMade() {
    return processesMade;
  }

  /** The number of stubs leased so far. */
  public long stubsLeased() {
    return stubsLeased;
  }

  void countStub() {
    stubsLeased++;
  }

  /** The number of traps other than system calls. */
  public long otherTraps() {
    return otherTraps;
  }

  /** Counts a trap other than a system call. */
  public void countOtherTrap() {
    otherTraps++;
  }

  // ---- start and end ----

  /** Starts the thread of a task whose start was set. */
  public void start(Task task) {
    running++;
    starter.accept(task);
  }

  /** Called when a task's thread has finished with the task and its stub. */
  public void finished() {
    running--;
    ended.wakeAll();
  }

  /**
   * Called when a task has ended. The last task ends its process, and the first process ends all
   * others.
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
    process.end(process.waitStatus()); // if its threads have ended one by one
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

  /** Removes a process that was reaped, or needs no reaping. */
  void forget(GuestProcess process) {
    processes.remove(process.pid());
  }

  /** Ends all processes. */
  public void killAll() {
    for (GuestProcess process : processes.values()) {
      process.end(ExitStatus.killed(Signal.SIGKILL));
    }
  }

  /** Sends a signal to the process group of the first process, as a terminal does. */
  public void signalForeground(int signal) {
    for (GuestProcess process : new ArrayList<>(processes.values())) {
      if (process.group() == first.group()) {
        boolean _ = process.send(SignalInfo.ofKernel(signal));
      }
    }
  }

  /** Ends the whole sandbox with a failure; the first failure is kept. */
  public void fail(RuntimeException e) {
    if (failure == null) {
      failure = e;
    }
    killAll();
  }

  /**
   * Waits until all processes have ended and released their stubs, in a thread that runs no task
   * and holds the lock.
   *
   * @param deadline by {@link System#nanoTime}, or {@link Sleeper#NEVER}
   * @return whether they have
   * @throws RuntimeException the failure given to {@link #fail}
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
