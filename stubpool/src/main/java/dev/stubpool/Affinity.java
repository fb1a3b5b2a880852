package dev.stubpool;

/** Where the tracer of a pool and its stubs run. */
public enum Affinity {
  /**
   * All on one CPU, chosen at open: a hand-over between tracer and stub is then a switch, not a
   * wake-up of another CPU, and costs less than half.
   */
  ONE_CPU,
  /** Wherever the kernel puts them. */
  ANY_CPU
}
