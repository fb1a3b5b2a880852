package dev.stubpool.seccomp.compiler;

/** The goal of optimization, which never changes the answers of a filter. */
public enum Optimization {
  /** No optimization: each rule is tried in order. The reference for the others. */
  NONE,
  /** Few instructions; among filters of the same length, few steps. */
  SIZE,
  /** Few instructions executed for a call; the length counts little. */
  SPEED
}
