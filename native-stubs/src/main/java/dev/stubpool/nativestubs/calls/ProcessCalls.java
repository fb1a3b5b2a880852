package dev.stubpool.nativestubs.calls;

import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.BitSet;

/** Calls about processes and threads. */
public final class ProcessCalls {
  /** Bytes of a CPU mask: 8192 CPUs, the most that x86-64 kernels are built for. */
  public static final int CPU_MASK_BYTES = 1024;

  private ProcessCalls() {}

  /** getpid(2). */
  public static int pid() {
    return (int) Kernel.call(Abi.SYS_getpid);
  }

  /** gettid(2). */
  public static int tid() {
    return (int) Kernel.call(Abi.SYS_gettid);
  }

  /** kill(2). */
  public static long kill(int pid, int signal) {
    return Kernel.call(Abi.SYS_kill, pid, signal);
  }

  /** tgkill(2). */
  public static long signalThread(int pid, int tid, int signal) {
    return Kernel.call(Abi.SYS_tgkill, pid, tid, signal);
  }

  /** Wakes one waiter of a futex in shared memory, futex(2). */
  public static long wakeFutex(long address) {
    return Kernel.call(Abi.SYS_futex, address, Abi.FUTEX_WAKE, 1);
  }

  /** Lets a signal through to the calling thread, rt_sigprocmask(2). 0 or -errno. */
  public static long unblock(int signal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment set = arena.allocate(ValueLayout.JAVA_LONG);
      set.set(ValueLayout.JAVA_LONG, 0, 1L << (signal - 1));
      return Kernel.call(
          Abi.SYS_rt_sigprocmask, Abi.SIG_UNBLOCK, set.address(), 0, Abi.KERNEL_SIGSET_SIZE);
    }
  }

  /** The CPUs that the calling thread may run on, sched_getaffinity(2). */
  public static BitSet affinity() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(CPU_MASK_BYTES, Long.BYTES);
      long bytes =
          NativeCallException.check(
              Kernel.call(Abi.SYS_sched_getaffinity, 0, CPU_MASK_BYTES, mask.address()),
              "sched_getaffinity",
              "reading the CPUs of a thread");
      return BitSet.valueOf(mask.asSlice(0, bytes).toArray(ValueLayout.JAVA_LONG));
    }
  }

  /**
   * Reads the CPUs that a process may run on to {@code mask}, sched_getaffinity(2). Bytes written,
   * or -errno.
   */
  public static long affinity(int pid, MemorySegment mask) {
    return Kernel.call(Abi.SYS_sched_getaffinity, pid, mask.byteSize(), mask.address());
  }

  /** The threads of a process, /proc/PID/task; none if it is gone. */
  public static int[] threads(int pid) {
    String[] names = new File("/proc/" + pid + "/task").list();
    return names == null ? new int[0] : Arrays.stream(names).mapToInt(Integer::parseInt).toArray();
  }

  /** Reads a limit of a process to the {@code struct rlimit64} at {@code limit}, prlimit64(2). */
  public static long limit(int pid, int resource, long limit) {
    return Kernel.call(Abi.SYS_prlimit64, pid, resource, 0, limit);
  }

  /** Binds the calling thread to one CPU, sched_setaffinity(2). 0 or -errno. */
  public static long bindTo(int cpu) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(CPU_MASK_BYTES, Long.BYTES);
      mask.set(ValueLayout.JAVA_BYTE, cpu / 8, (byte) (1 << cpu % 8));
      return bindTo(mask);
    }
  }

  /** Binds the calling thread to the CPUs of a mask, sched_setaffinity(2). 0 or -errno. */
  public static long bindTo(MemorySegment mask) {
    return bind(0, mask);
  }

  /** Binds a thread to the CPUs of a mask, sched_setaffinity(2). 0 or -errno. */
  public static long bind(int tid, MemorySegment mask) {
    return Kernel.call(Abi.SYS_sched_setaffinity, tid, mask.byteSize(), mask.address());
  }
}
