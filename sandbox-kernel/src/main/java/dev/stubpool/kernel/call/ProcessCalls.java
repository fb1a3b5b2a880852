package dev.stubpool.kernel.call;

import dev.stubpool.X86Segments;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.memory.UserMemory;
import dev.stubpool.kernel.process.ExitStatus;
import dev.stubpool.kernel.process.GuestProcess;
import dev.stubpool.kernel.process.Limits;
import dev.stubpool.kernel.process.ProcessTable;
import dev.stubpool.kernel.process.Task;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;

/** System calls on the calling process. */
final class ProcessCalls {
  private static final int ARCH_SET_GS = 0x1001;
  private static final int ARCH_SET_FS = 0x1002;
  private static final int ARCH_GET_FS = 0x1003;
  private static final int ARCH_GET_GS = 0x1004;
  private static final int ROBUST_LIST_SIZE = 24;
  private static final int UMASK_BITS = 0777;
  private static final int PR_SET_PDEATHSIG = 1;
  private static final int PR_GET_PDEATHSIG = 2;
  private static final int PR_GET_DUMPABLE = 3;
  private static final int PR_SET_DUMPABLE = 4;
  private static final int PR_SET_NAME = 15;
  private static final int PR_GET_NAME = 16;
  private static final int PR_SET_NO_NEW_PRIVS = 38;
  private static final int PR_GET_NO_NEW_PRIVS = 39;
  private static final int NAME_SIZE = 16;
  private static final int SYSINFO_SIZE = 112;
  private static final int SYSINFO_UNIT = 104;
  private static final int UTSNAME_FIELD = 65;
  private static final int GRND_NONBLOCK = 1;
  private static final int GRND_RANDOM = 2;
  private static final int GRND_INSECURE = 4;
  private static final int LARGEST_RANDOM = 1 << 18;
  private static final int GROUPS = 0;
  private static final SecureRandom RANDOM = new SecureRandom();

  private ProcessCalls() {}

  /** exit, _exit(2): ends this thread; the last thread's status is the process's. */
  static long exit(Task task, Arguments arguments) {
    if (task.process().tasks().size() == 1) {
      return exitGroup(task, arguments);
    }
    task.leave();
    return 0;
  }

  /** exit_group(2). */
  static long exitGroup(Task task, Arguments arguments) {
    task.process().end(ExitStatus.exited(arguments.integer(0)));
    return 0;
  }

  /** arch_prctl(2). */
  static long archPrctl(Task task, Arguments arguments) {
    X86Segments segments = task.guest().segments();
    long address = arguments.word(1);
    try {
      switch (arguments.integer(0)) {
        case ARCH_SET_FS -> segments.fsBase(address);
        case ARCH_SET_GS -> segments.gsBase(address);
        case ARCH_GET_FS -> task.memory().writeLong(address, segments.fsBase());
        case ARCH_GET_GS -> task.memory().writeLong(address, segments.gsBase());
        default -> throw new ErrnoException(Errno.EINVAL);
      }
    } catch (IllegalArgumentException _) {
      throw new ErrnoException(Errno.EPERM);
    }
    return 0;
  }

  /** set_tid_address(2). */
  static long setTidAddress(Task task, Arguments arguments) {
    task.clearTidAddress(arguments.word(0));
    return task.tid();
  }

  /** set_robust_list(2). */
  static long setRobustList(Task task, Arguments arguments) {
    if (arguments.word(1) != ROBUST_LIST_SIZE) {
      throw new ErrnoException(Errno.EINVAL);
    }
    task.robustList(arguments.word(0));
    return 0;
  }

  /** get_robust_list(2). */
  static long getRobustList(Task task, Arguments arguments) {
    int tid = arguments.integer(0);
    Task of = tid == 0 ? task : task.table().task(tid);
    if (of == null) {
      throw new ErrnoException(Errno.ESRCH);
    }
    task.memory().writeLong(arguments.word(1), of.robustList());
    task.memory().writeLong(arguments.word(2), ROBUST_LIST_SIZE);
    return 0;
  }

  /** getpid(2). */
  static long getpid(Task task, Arguments arguments) {
    return task.process().pid();
  }

  /** gettid(2). */
  static long gettid(Task task, Arguments arguments) {
    return task.tid();
  }

  /** getppid(2). */
  static long getppid(Task task, Arguments arguments) {
    GuestProcess parent = task.process().parent();
    return parent == null ? ProcessTable.INIT_PID : parent.pid();
  }

  /** The process with a pid; 0 is the caller's. */
  private static GuestProcess process(Task task, int pid) {
    GuestProcess process = pid == 0 ? task.process() : task.table().process(pid);
    if (process == null) {
      throw new ErrnoException(Errno.ESRCH);
    }
    return process;
  }

  /** getpgrp, getpgid(2). */
  static long getpgrp(Task task, Arguments arguments) {
    return task.process().group();
  }

  /** getpgid(2). */
  static long getpgid(Task task, Arguments arguments) {
    return process(task, arguments.integer(0)).group();
  }

  /** getsid(2). */
  static long getsid(Task task, Arguments arguments) {
    return process(task, arguments.integer(0)).session();
  }

  /** setpgid(2). */
  static long setpgid(Task task, Arguments arguments) {
    GuestProcess process = process(task, arguments.integer(0));
    int group = arguments.integer(1) == 0 ? process.pid() : arguments.integer(1);
    if (group < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (process != task.process() && process.parent() != task.process()) {
      throw new ErrnoException(Errno.ESRCH);
    }
    int session = task.process().session();
    boolean exists =
        group == process.pid()
            || task.table().processes().stream()
                .anyMatch(p -> p.group() == group && p.session() == session);
    if (process.session() == process.pid() || process.session() != session || !exists) {
      throw new ErrnoException(Errno.EPERM);
    }
    process.group(group);
    return 0;
  }

  /** setsid(2). */
  static long setsid(Task task, Arguments arguments) {
    GuestProcess process = task.process();
    if (task.table().processes().stream().anyMatch(p -> p.group() == process.pid())) {
      throw new ErrnoException(Errno.EPERM);
    }
    process.session(process.pid());
    process.group(process.pid());
    return process.pid();
  }

  /** umask(2). */
  static long umask(Task task, Arguments arguments) {
    int before = task.process().umask();
    task.process().umask(arguments.integer(0) & UMASK_BITS);
    return before;
  }

  /** prctl(2): the operations that unprivileged programs commonly use. */
  static long prctl(Task task, Arguments arguments) {
    return switch (arguments.integer(0)) {
      case PR_SET_NAME -> {
        task.name(task.memory().readName(arguments.word(1), NAME_SIZE));
        yield 0;
      }
      case PR_GET_NAME -> {
        byte[] name = UserMemory.terminated(task.name());
        task.memory().write(arguments.word(1), Arrays.copyOf(name, NAME_SIZE));
        yield 0;
      }
      case PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS -> 0;
      case PR_GET_PDEATHSIG -> {
        task.memory().writeInt(arguments.word(1), 0);
        yield 0;
      }
      case PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS -> 1;
      default -> throw new ErrnoException(Errno.EINVAL);
    };
  }

  /** sched_getaffinity(2): the CPUs that this JVM has. */
  static long schedGetaffinity(Task task, Arguments arguments) {
    int cpus = Runtime.getRuntime().availableProcessors();
    int size = Math.ceilDiv(cpus, Long.SIZE) * Long.BYTES;
    if (arguments.integer(0) != 0 && task.table().task(arguments.integer(0)) == null) {
      throw new ErrnoException(Errno.ESRCH);
    }
    if (Long.compareUnsigned(arguments.word(1), size) < 0 || arguments.word(1) % Long.BYTES != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    byte[] set = new byte[size];
    for (int cpu = 0; cpu < cpus; cpu++) {
      set[cpu / Byte.SIZE] |= (byte) (1 << cpu % Byte.SIZE);
    }
    task.memory().write(arguments.word(2), set);
    return size;
  }

  /** getcpu(2): always CPU 0. */
  static long getcpu(Task task, Arguments arguments) {
    for (int i = 0; i < 2; i++) {
      if (arguments.word(i) != 0) {
        task.memory().writeInt(arguments.word(i), 0);
      }
    }
    return 0;
  }

  /** sysinfo(2). */
  static long sysinfo(Task task, Arguments arguments) {
    long most = task.table().memory().most();
    ByteBuffer info = Struct.allocate(SYSINFO_SIZE);
    info.putLong(System.nanoTime() / 1_000_000_000L);
    info.putLong(0).putLong(0).putLong(0); // loads
    info.putLong(most).putLong(Math.max(0, most - task.table().memory().used()));
    info.putLong(0).putLong(0).putLong(0).putLong(0); // shared, buffers, swap
    info.putShort((short) task.table().taskCount());
    info.putInt(SYSINFO_UNIT, 1);
    task.memory().write(arguments.word(0), Struct.bytes(info));
    return 0;
  }

  /** setuid(2), setgid(2): only the current id is allowed. */
  private static long setId(int current, int wanted) {
    if (wanted != current && wanted != -1) {
      throw new ErrnoException(Errno.EPERM);
    }
    return 0;
  }

  /** setuid(2). */
  static long setuid(Task task, Arguments arguments) {
    return setId(task.process().identity().uid(), arguments.integer(0));
  }

  /** setgid(2). */
  static long setgid(Task task, Arguments arguments) {
    return setId(task.process().identity().gid(), arguments.integer(0));
  }

  /** getpriority(2): always 20, for the nice value 0. */
  static long getpriority(Task task, Arguments arguments) {
    return 20;
  }

  /** getuid(2) and geteuid(2). */
  static long getuid(Task task, Arguments arguments) {
    return task.process().identity().uid();
  }

  /** getgid(2) and getegid(2). */
  static long getgid(Task task, Arguments arguments) {
    return task.process().identity().gid();
  }

  /** getgroups(2): none. */
  static long getgroups(Task task, Arguments arguments) {
    if (arguments.integer(0) < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return GROUPS;
  }

  /** getresuid(2). */
  static long getresuid(Task task, Arguments arguments) {
    return threeTimes(task, arguments, task.process().identity().uid());
  }

  /** getresgid(2). */
  static long getresgid(Task task, Arguments arguments) {
    return threeTimes(task, arguments, task.process().identity().gid());
  }

  private static long threeTimes(Task task, Arguments arguments, int id) {
    for (int i = 0; i < 3; i++) {
      byte[] bytes = Struct.bytes(Struct.allocate(Integer.BYTES).putInt(id));
      task.memory().write(arguments.word(i), bytes);
    }
    return 0;
  }

  /** prlimit64, prlimit(2). */
  static long prlimit(Task task, Arguments arguments) {
    int pid = arguments.integer(0);
    return limit(
        task, process(task, pid), arguments.integer(1), arguments.word(2), arguments.word(3));
  }

  /** getrlimit(2). */
  static long getrlimit(Task task, Arguments arguments) {
    return limit(task, task.process(), arguments.integer(0), 0, arguments.word(1));
  }

  /** setrlimit, getrlimit(2). */
  static long setrlimit(Task task, Arguments arguments) {
    return limit(task, task.process(), arguments.integer(0), arguments.word(1), 0);
  }

  private static long limit(Task task, GuestProcess process, int kind, long changed, long old) {
    Limits limits = process.limits();
    byte[] before = limits.get(kind);
    if (changed != 0) {
      limits.set(kind, task.memory().read(changed, Limits.SIZE));
      process.descriptors().limit(limits.openFiles());
    }
    if (old != 0) {
      task.memory().write(old, before);
    }
    return 0;
  }

  /** getrandom(2). */
  static long getrandom(Task task, Arguments arguments) {
    boolean both = Bits.all(arguments.integer(2), GRND_RANDOM | GRND_INSECURE);
    if (both || Bits.any(arguments.integer(2), ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))) {
      throw new ErrnoException(Errno.EINVAL);
    }
    byte[] bytes = new byte[(int) Math.min(arguments.word(1) & Long.MAX_VALUE, LARGEST_RANDOM)];
    RANDOM.nextBytes(bytes);
    task.memory().write(arguments.word(0), bytes);
    return bytes.length;
  }

  /** uname(2). */
  static long uname(Task task, Arguments arguments) {
    String[] fields = {
      "Linux", "stubpool", System.getProperty("os.version"), "#1 stubpool", "x86_64", "(none)"
    };
    ByteBuffer utsname = Struct.allocate(fields.length * UTSNAME_FIELD);
    for (int i = 0; i < fields.length; i++) {
      utsname.put(i * UTSNAME_FIELD, fields[i].getBytes(StandardCharsets.US_ASCII));
    }
    task.memory().write(arguments.word(0), Struct.bytes(utsname));
    return 0;
  }
}
