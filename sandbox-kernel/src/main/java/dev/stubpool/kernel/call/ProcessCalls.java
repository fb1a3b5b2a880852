package dev.stubpool.kernel.call;

import dev.stubpool.Segments;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.task.Limits;
import dev.stubpool.kernel.task.Task;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;

/** Calls about the process itself. */
final class ProcessCalls {
  private static final int ARCH_SET_GS = 0x1001;
  private static final int ARCH_SET_FS = 0x1002;
  private static final int ARCH_GET_FS = 0x1003;
  private static final int ARCH_GET_GS = 0x1004;
  private static final int STATUS_BITS = 0xff;
  private static final int NO_PARENT = 0;
  private static final int UTSNAME_FIELD = 65;
  private static final int LARGEST_RANDOM = 1 << 18;
  private static final int GROUPS = 0;
  private static final SecureRandom RANDOM = new SecureRandom();

  private ProcessCalls() {}

  /** exit(2) of the only thread, and exit_group(2). */
  static long exit(Task task, Arguments arguments) {
    task.exit(arguments.integer(0) & STATUS_BITS);
    return 0;
  }

  /** arch_prctl(2). */
  static long archPrctl(Task task, Arguments arguments) {
    Segments segments = task.guest().segments();
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

  /** set_tid_address(2): nobody waits for the only thread's end. */
  static long setTidAddress(Task task, Arguments arguments) {
    return task.tid();
  }

  /** set_robust_list(2): of use to other threads only. */
  static long setRobustList(Task task, Arguments arguments) {
    return 0;
  }

  /** getpid(2), and getpgrp and getsid of the same. */
  static long getpid(Task task, Arguments arguments) {
    return task.process().pid();
  }

  /** gettid(2). */
  static long gettid(Task task, Arguments arguments) {
    return task.tid();
  }

  /** getppid(2). */
  static long getppid(Task task, Arguments arguments) {
    return NO_PARENT;
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
    if (pid != 0 && pid != task.process().pid()) {
      throw new ErrnoException(Errno.ESRCH);
    }
    return limit(task, arguments.integer(1), arguments.word(2), arguments.word(3));
  }

  /** getrlimit(2). */
  static long getrlimit(Task task, Arguments arguments) {
    return limit(task, arguments.integer(0), 0, arguments.word(1));
  }

  /** setrlimit, getrlimit(2). */
  static long setrlimit(Task task, Arguments arguments) {
    return limit(task, arguments.integer(0), arguments.word(1), 0);
  }

  private static long limit(Task task, int kind, long changed, long old) {
    Limits limits = task.process().limits();
    byte[] before = limits.get(kind);
    if (changed != 0) {
      limits.set(kind, task.memory().read(changed, Limits.SIZE));
    }
    if (old != 0) {
      task.memory().write(old, before);
    }
    return 0;
  }

  /** getrandom(2). */
  static long getrandom(Task task, Arguments arguments) {
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
