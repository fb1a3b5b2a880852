package dev.stubpool.forge;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.FileCalls;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.calls.PtraceCalls;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.ptrace.Tracee;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Resets a used stub in one stop: unmaps everything but the image and restores the {@link
 * InitialState}.
 *
 * <p>It reports what it cannot reset, so that the stub is discarded: a pending signal, a second
 * thread, CPUs or limits other than the source's. Only other processes can have caused these: the
 * stub's filter allows none of the calls. Dispositions, the alternate stack, syscall user dispatch,
 * filters and credentials need no check, because neither the stub nor another process can change
 * them.
 *
 * <p>The limits that are compared are those that matter to what the filter allows: using CPU time,
 * mapping memory, cloning, and receiving signals.
 */
final class Recycler {
  private static final String STEP = "recycling a stub";
  private static final int[] LIMITS = {
    Abi.RLIMIT_CPU,
    Abi.RLIMIT_DATA,
    Abi.RLIMIT_CORE,
    Abi.RLIMIT_NPROC,
    Abi.RLIMIT_AS,
    Abi.RLIMIT_SIGPENDING
  };

  /** Links of /proc/PID/task: itself, its parent, and one for each thread (proc(5)). */
  private static final long LINKS_OF_ONE_THREAD = 3;

  private static final byte[] PROC = "/proc/".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] TASK = "/task".getBytes(StandardCharsets.US_ASCII);

  private final StopRunner tracer;
  private final StubSpec spec;
  private final Tracee source;
  private final InitialState initial;

  private final Arena arena = Arena.ofAuto();
  private final MemorySegment siginfo = arena.allocate(Abi.SIGINFO_SIZE, Long.BYTES);
  private final MemorySegment privateSignals = arena.allocate(Abi.PEEKSIGINFO_SIZE, Long.BYTES);
  private final MemorySegment sharedSignals = arena.allocate(Abi.PEEKSIGINFO_SIZE, Long.BYTES);
  private final MemorySegment stat = arena.allocate(Abi.STAT_SIZE, Long.BYTES);
  private final MemorySegment path = arena.allocate(32, 1);
  private final Inherited expected = new Inherited(arena);
  private final Inherited found = new Inherited(arena);

  /** Makes a recycler for the stubs of a source. */
  Recycler(StopRunner tracer, StubSpec spec, Tracee source, InitialState initial) {
    this.tracer = tracer;
    this.spec = spec;
    this.source = source;
    this.initial = initial;
    privateSignals.set(JAVA_INT, Abi.PEEKSIGINFO_nr, 1);
    sharedSignals.set(JAVA_INT, Abi.PEEKSIGINFO_nr, 1);
    sharedSignals.set(JAVA_INT, Abi.PEEKSIGINFO_flags, Abi.PTRACE_PEEKSIGINFO_SHARED);
    expected.read(source.pid());
  }

  /**
   * Resets a stopped stub.
   *
   * @return null if it is reset, else what could not be reset
   * @throws dev.stubpool.StubPoolException if it died, or the kernel refused a step
   */
  @Nullable String recycle(Tracee stub) {
    tracer.unmapAround(stub, spec.lowest(), spec.highest(), STEP);
    initial.restore(stub, STEP);
    String changed = changedByOthers(stub);
    if (changed == null) {
      stub.reset();
    }
    return changed;
  }

  private @Nullable String changedByOthers(Tracee stub) {
    if (pending(stub, privateSignals) || pending(stub, sharedSignals)) {
      return "signal " + siginfo.get(JAVA_INT, Abi.SIGINFO_signo) + " is pending";
    }
    if (FileCalls.stat(taskDirectory(stub.pid()), stat.address()) < 0) {
      return "its threads cannot be counted";
    }
    long links = stat.get(JAVA_LONG, Abi.STAT_nlink);
    if (links != LINKS_OF_ONE_THREAD) {
      return "it has " + (links - 2) + " threads";
    }
    found.read(stub.pid());
    if (!found.equalTo(expected)) {
      if (source.death() == null) {
        expected.read(source.pid()); // a cpuset may have changed for all stubs
      }
      if (!found.equalTo(expected)) {
        return "its CPUs or limits are not those of the source";
      }
    }
    return null;
  }

  private boolean pending(Tracee stub, MemorySegment which) {
    long count = PtraceCalls.peekSignals(stub.pid(), which.address(), siginfo.address());
    tracer.checkStopped(stub, count, "PEEKSIGINFO", STEP);
    return count > 0;
  }

  /** "/proc/PID/task", without allocating a String. */
  private MemorySegment taskDirectory(int pid) {
    MemorySegment.copy(PROC, 0, path, JAVA_BYTE, 0, PROC.length);
    int digits = 1;
    for (int rest = pid / 10; rest > 0; rest /= 10) {
      digits++;
    }
    int end = PROC.length + digits;
    int rest = pid;
    for (int at = end - 1; at >= PROC.length; at--) {
      path.set(JAVA_BYTE, at, (byte) ('0' + rest % 10));
      rest /= 10;
    }
    MemorySegment.copy(TASK, 0, path, JAVA_BYTE, end, TASK.length);
    path.set(JAVA_BYTE, end + (long) TASK.length, (byte) 0);
    return path;
  }

  /** What a stub inherits from its source, and other processes may change: CPUs and limits. */
  private static final class Inherited {
    private final MemorySegment memory;
    private final MemorySegment cpus;
    private long length;

    Inherited(Arena arena) {
      memory =
          arena.allocate(ProcessCalls.CPU_MASK_BYTES + (long) LIMITS.length * Abi.RLIMIT64_SIZE, 8);
      cpus = memory.asSlice(0, ProcessCalls.CPU_MASK_BYTES);
    }

    void read(int pid) {
      length = ProcessCalls.affinity(pid, cpus);
      for (int i = 0; i < LIMITS.length; i++) {
        long at = memory.address() + ProcessCalls.CPU_MASK_BYTES + (long) i * Abi.RLIMIT64_SIZE;
        long result = ProcessCalls.limit(pid, LIMITS[i], at);
        if (result < 0) {
          length = result; // the process exists, so a security module refused
        }
      }
    }

    boolean equalTo(Inherited other) {
      return length >= 0 && length == other.length && memory.mismatch(other.memory) < 0;
    }
  }
}
