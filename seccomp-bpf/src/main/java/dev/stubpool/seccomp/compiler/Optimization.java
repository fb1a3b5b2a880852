package dev.stubpool.seccomp.compiler;

/** What a compiled filter is to be good at. Its answers are always the same. */
public enum Optimization {
  /** Nothing: each rule is tried in order. What the others are compared with. */
  NONE,
  /** Few instructions; among filters of the same length, few steps. */
  SIZE,
  /** Few instructions executed for a call; size counts little. */
  SPEED
}
