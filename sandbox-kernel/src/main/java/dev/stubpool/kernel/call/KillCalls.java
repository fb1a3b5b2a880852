package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.process.GuestProcess;
import dev.stubpool.kernel.process.ProcessTable;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.signal.PendingSignals;
import dev.stubpool.kernel.signal.SignalInfo;
import java.util.List;
import java.util.function.Predicate;

/** System calls that send signals. The target may be a zombie. */
final class KillCalls {
  private static final int NONE = 0;
  private static final int ALL = -1;

  private KillCalls() {}

  private static int signal(Arguments arguments, int index) {
    int signal = arguments.integer(index);
    if (signal < NONE || signal > Signal.SIGRTMAX) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return signal;
  }

  private static SignalInfo from(Task task, int signal, int code) {
    GuestProcess sender = task.process();
    return SignalInfo.ofProcess(signal, code, sender.pid(), sender.identity().uid());
  }

  /** kill(2). */
  static long kill(Task task, Arguments arguments) {
    int pid = arguments.integer(0);
    int signal = signal(arguments, 1);
    if (pid == ProcessTable.INIT_PID) {
      return 0; // process 1 handles no signals
    }
    List<GuestProcess> targets = targets(task, pid);
    if (targets.isEmpty()) {
      throw new ErrnoException(Errno.ESRCH);
    }
    if (signal != NONE) {
      SignalInfo info = from(task, signal, SignalInfo.SI_USER);
      targets.forEach(target -> target.send(info));
    }
    return 0;
  }

  private static List<GuestProcess> targets(Task task, int pid) {
    GuestProcess self = task.process();
    if (pid > 0) {
      return List.of(process(task, pid));
    }
    Predicate<GuestProcess> wanted =
        switch (pid) {
          case 0 -> process -> process.group() == self.group();
          case ALL -> process -> process != self;
          default -> process -> process.group() == -pid;
        };
    return task.table().processes().stream().filter(wanted).toList();
  }

  /** The process with a pid, or with a thread of that tid. */
  private static GuestProcess process(Task task, int pid) {
    GuestProcess process = task.table().process(pid);
    if (process != null) {
      return process;
    }
    Task thread = task.table().task(pid);
    if (thread == null) {
      throw new ErrnoException(Errno.ESRCH);
    }
    return thread.process();
  }

  /** tkill(2). */
  static long tkill(Task task, Arguments arguments) {
    int tid = arguments.integer(0);
    int signal = signal(arguments, 1);
    if (tid <= 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    GuestProcess _ = process(task, tid);
    return send(task, tid, from(task, signal, SignalInfo.SI_TKILL));
  }

  /** tgkill(2). */
  static long tgkill(Task task, Arguments arguments) {
    SignalInfo info = from(task, signal(arguments, 2), SignalInfo.SI_TKILL);
    checkGroup(task, arguments);
    return send(task, arguments.integer(1), info);
  }

  /** Checks that the second argument is a thread of the process in the first. */
  private static void checkGroup(Task task, Arguments arguments) {
    int pid = arguments.integer(0);
    int tid = arguments.integer(1);
    if (pid <= 0 || tid <= 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (process(task, tid).pid() != pid) {
      throw new ErrnoException(Errno.ESRCH);
    }
  }

  /**
   * Sends a signal to one thread. The first thread of a process may have ended before the process.
   */
  private static long send(Task task, int tid, SignalInfo info) {
    Task target = task.table().task(tid);
    if (target != null && info.signal() != NONE) {
      checkRoom(target.signals().pending(), info);
      boolean _ = target.send(info);
    }
    return 0;
  }

  /** rt_sigqueueinfo(2). */
  static long sigqueueinfo(Task task, Arguments arguments) {
    int pid = arguments.integer(0);
    SignalInfo info = given(task, pid, signal(arguments, 1), arguments.word(2));
    GuestProcess process = process(task, pid);
    if (info.signal() != NONE) {
      checkRoom(process.pendingSignals(), info);
      boolean _ = process.send(info);
    }
    return 0;
  }

  /** rt_tgsigqueueinfo, rt_sigqueueinfo(2). */
  static long tgsigqueueinfo(Task task, Arguments arguments) {
    int tid = arguments.integer(1);
    SignalInfo info = given(task, tid, signal(arguments, 2), arguments.word(3));
    checkGroup(task, arguments);
    return send(task, tid, info);
  }

  /**
   * The siginfo given by the caller. Codes of the kernel are only allowed if the target is the
   * caller.
   */
  private static SignalInfo given(Task task, int to, int signal, long address) {
    SignalInfo info = SignalInfo.given(signal, task.memory().read(address, SignalInfo.SIZE));
    boolean claimed = info.code() >= 0 || info.code() == SignalInfo.SI_TKILL;
    if (claimed && to != task.process().pid() && to != task.tid()) {
      throw new ErrnoException(Errno.EPERM);
    }
    return info;
  }

  private static void checkRoom(PendingSignals pending, SignalInfo info) {
    if (info.code() != SignalInfo.SI_USER && info.signal() >= Signal.SIGRTMIN && pending.isFull()) {
      throw new ErrnoException(Errno.EAGAIN);
    }
  }
}
