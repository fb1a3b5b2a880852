package dev.stubpool.bench.report;

import java.util.Locale;

/**
 * What is measured together: in each round first the floors of a group, then its rows, or the other
 * way round.
 */
public enum Group {
  /** A fresh stub. */
  CREATE,
  /** Fresh stubs in batches. */
  CREATE_BATCH,
  /** A fresh stub and its first system call. */
  CREATE_FIRST_INJECTION,
  /** A system call in a stub. */
  INJECTION,
  /** Mapping a page in a stub. */
  MAP_PAGE,
  /** The end of a stub. */
  KILL_REAP,
  /** Making a used stub like new. */
  RECYCLE,
  /** Replacing a used stub. */
  DISCARD_REFILL,
  /** Leases that are used. */
  LEASE,
  /** Copies of a stub. */
  SPAWN_CHILD,
  /** A copy of a stub, made by mapping and writing everything again. */
  MAP_AGAIN,
  /** Guest code. */
  GUEST,
  /** Acquire and close of idle stubs. */
  ACQUIRE,
  /** The same by many threads at once. */
  CONTENDED,
  /** Many closes in a row. */
  BURST,
  /** Compiling seccomp filters; the floor is libseccomp. */
  COMPILE,
  /** Forking a source from a JVM with a large heap. */
  SOURCE_CLONE,
  /** gVisor's platforms on similar work. */
  PEERS;

  /** The group's name on the command line, and for the floor. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
