package dev.stubpool;

/**
 * What a stub's process is doing: {@code FORGING -> IDLE -> LEASED -> RESETTING -> IDLE}, {@code
 * DEAD} from any.
 */
public enum StubState {
  /** Cloned, not yet handed to the pool. */
  FORGING,
  /** Waits in the pool. */
  IDLE,
  /** Belongs to the holder of a {@link Stub}. */
  LEASED,
  /** Is being made like new. */
  RESETTING,
  /** Its process is gone, or about to be. */
  DEAD
}
