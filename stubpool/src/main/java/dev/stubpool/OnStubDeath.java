package dev.stubpool;

/** What the death of a stub does to others. */
public enum OnStubDeath {
  /** Its lease fails with {@link StubDiedException}, and the pool makes another when needed. */
  REPLACE,

  /**
   * It kills the JVM, and so all stubs: the kernel itself sends SIGKILL, the stubs' exit signal
   * (clone(2)). For those who cannot go on when a stub's state is lost.
   *
   * <p>Then no stub can be killed alone. Idle stubs are not trimmed, {@link OnRelease#DISCARD} is
   * refused, and {@link Stub#kill}, {@link StubPool#close}, a stub that cannot be recycled (because
   * somebody else sent it a signal, say) and one that does not stop in time all end the JVM, which
   * is logged first. The init process of a pid namespace cannot be killed so: {@link StubPool#open}
   * refuses there.
   */
  KILL_JVM
}
