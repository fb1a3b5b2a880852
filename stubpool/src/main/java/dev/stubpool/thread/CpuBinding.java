package dev.stubpool.thread;

import dev.stubpool.diagnose.Failures;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/**
 * The binding of a thread to one CPU. Processes and threads that a bound thread starts inherit the
 * binding. Stubs are meant to inherit it, but threads of the application are not, and some calls
 * start one: unparking a virtual thread may start a carrier thread. Such calls are made by {@link
 * #withoutBinding}, which costs two system calls.
 */
public final class CpuBinding {
  private static final ThreadLocal<CpuBinding> OF_THREAD = new ThreadLocal<>();

  private final MemorySegment before;
  private final MemorySegment bound;

  private CpuBinding(int turn) {
    BitSet cpus = ProcessCalls.affinity();
    int cpu = cpus.stream().skip(Math.floorMod(turn, cpus.cardinality())).findFirst().orElseThrow();
    before = mask(cpus);
    BitSet one = new BitSet();
    one.set(cpu);
    bound = mask(one);
    Failures.check(
        ProcessCalls.bindTo(bound), "sched_setaffinity", "binding the tracer to CPU " + cpu);
  }

  /**
   * Binds the calling thread, for the rest of its life, to one of the CPUs that it may run on.
   *
   * @param turn the index of the CPU among those, modulo their number
   */
  public static void bind(int turn) {
    OF_THREAD.set(new CpuBinding(turn));
  }

  /**
   * Binds another thread to the CPU that the calling thread is bound to, if it is bound.
   *
   * @return 0, or -errno of sched_setaffinity(2)
   */
  public static long alsoBind(int tid) {
    CpuBinding binding = OF_THREAD.get();
    return binding == null ? 0 : ProcessCalls.bind(tid, binding.bound);
  }

  /** Runs {@code call} with the CPUs that the calling thread might use before it was bound. */
  public static void withoutBinding(Runnable call) {
    CpuBinding binding = OF_THREAD.get();
    if (binding == null) {
      call.run();
    } else {
      binding.runUnbound(call);
    }
  }

  private void runUnbound(Runnable call) {
    // The kernel refuses this only if all of these CPUs were removed from the process's cpuset
    // since. It has chosen other CPUs then, which are kept.
    ProcessCalls.bindTo(before);
    try {
      call.run();
    } finally {
      ProcessCalls.bindTo(bound);
    }
  }

  private static MemorySegment mask(BitSet cpus) {
    MemorySegment mask = Arena.ofAuto().allocate(ProcessCalls.CPU_MASK_BYTES, Long.BYTES);
    return mask.copyFrom(MemorySegment.ofArray(cpus.toByteArray()));
  }
}
