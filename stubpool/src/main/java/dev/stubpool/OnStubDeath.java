package dev.stubpool;

/** What happens when a stub dies. */
public enum OnStubDeath {
  /**
   * Methods of its lease throw {@link StubDiedException}, and the pool makes another stub when one
   * is needed.
   */
  REPLACE,

  /**
   * The JVM dies, and so do all stubs. The kernel itself sends SIGKILL to the JVM, since that is
   * the exit signal of the stubs (clone(2)). For applications that cannot continue when the state
   * of a stub is lost.
   *
   * <p>No single stub can be killed under this option. Idle stubs are not trimmed, and {@link
   * OnRelease#DISCARD} is refused. {@link Stub#kill}, {@link StubPool#close}, a stub that cannot be
   * reset (for example because another process sent it a signal) and a stub that does not stop in
   * time all end the JVM; this is logged first. The kernel does not deliver SIGKILL to the init
   * process of a pid namespace, so {@link StubPool#open} refuses this option there.
   */
  KILL_JVM
}
