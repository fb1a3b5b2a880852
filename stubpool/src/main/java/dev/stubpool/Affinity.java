package dev.stubpool;

/** The CPUs on which a pool's tracer threads and stubs run. */
public enum Affinity {
  /**
   * All of them run on one CPU, which is chosen when the pool opens. Passing control between tracer
   * and stub is then a context switch instead of a wake-up of another CPU, and costs less than half
   * as much.
   */
  ONE_CPU,
  /** The kernel's scheduler chooses the CPUs. */
  ANY_CPU
}
