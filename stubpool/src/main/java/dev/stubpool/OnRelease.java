package dev.stubpool;

/** What becomes of a stub when its lease is closed. */
public enum OnRelease {
  /** It is made like new and leased again. */
  RECYCLE,
  /** It is killed, and replaced by a new one when one is needed. */
  DISCARD
}
