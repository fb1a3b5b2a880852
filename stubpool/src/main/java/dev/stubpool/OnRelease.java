package dev.stubpool;

/** What the pool does with a stub when its lease is closed. */
public enum OnRelease {
  /** The stub is reset and can be leased again. */
  RECYCLE,
  /** The stub is killed, and the pool makes another when one is needed. */
  DISCARD
}
