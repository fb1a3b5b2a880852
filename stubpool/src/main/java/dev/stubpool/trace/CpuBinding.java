package dev.stubpool.trace;

import dev.stubpool.SystemCallException;
import dev.stubpool.nativestubs.ProcessCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/**
 * The binding of a thread to one CPU. Whatever a bound thread starts inherits that: stubs are to,
 * but threads of others are not, and many a call starts one (to unpark a virtual thread may take
 * another carrier). Such calls are made by {@link #lift}, which costs two system calls.
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
    SystemCallException.check(
        ProcessCalls.bindTo(bound), "sched_setaffinity", "binding the tracer to CPU " + cpu);
  }

  /**
   * Binds the calling thread, for ever, to one of the CPUs that it may run on.
   *
   * @param turn which of them, counted round
   */
  public static void bind(int turn) {
    OF_THREAD.set(new CpuBinding(turn));
  }

  /** Binds another thread to the CPU that the calling thread is bound to, if it is. 0 or -errno. */
  static long alsoBind(int tid) {
    CpuBinding binding = OF_THREAD.get();
    return binding == null ? 0 : ProcessCalls.bind(tid, binding.bound);
  }

  /** Makes a call with the CPUs that the calling thread had before it was bound, if it is. */
  public static void lift(Runnable call) {
    CpuBinding binding = OF_THREAD.get();
    if (binding == null) {
      call.run();
    } else {
      binding.lifted(call);
    }
  }

  private void lifted(Runnable call) {
    // Refused only where the administrator took all of these CPUs away meanwhile; then the kernel
    // has
    // chosen others, and they stay.
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
