package dev.stubpool;

/**
 * The state of a stub's process: {@code FORGING -> IDLE -> LEASED -> RESETTING -> IDLE}; from any
 * state to {@code DEAD}.
 */
public enum StubState {
  /** The process was cloned and cannot be leased yet. */
  FORGING,
  /** The stub can be leased. */
  IDLE,
  /** The stub is leased: the holder of its {@link Stub} uses it. */
  LEASED,
  /** The lease has ended, and the stub is being reset or discarded. */
  RESETTING,
  /** The process is dead or has been killed. */
  DEAD
}
