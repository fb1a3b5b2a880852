package dev.stubpool.cli.pools;

import dev.stubpool.nativestubs.proc.ProcessStatus;

/**
 * A process with the name of a stub that no pool publishes: its pool is not inspectable or has just
 * created it, or its JVM is not readable.
 *
 * @param process the process; if it is a stub, its parent is the JVM
 * @param tracer the thread id of its tracer, 0 if there is none
 */
public record UnpublishedStub(ProcessStatus process, int tracer) {
  /** Whether it is alive but has no tracer, which never holds for a stub of a live JVM. */
  public boolean isUntraced() {
    return tracer == 0 && !process.isZombie();
  }
}
