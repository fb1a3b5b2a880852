package dev.stubpool.cli.pools;

import dev.stubpool.cli.proc.ProcessStatus;

/**
 * A process with the name of a stub that no pool tells of: its pool is not inspectable, or has just
 * made it, or its JVM may not be looked into.
 *
 * @param process it; its parent is the JVM, if it is a stub
 * @param tracer the thread that traces it, 0 if none does
 */
public record UnpublishedStub(ProcessStatus process, int tracer) {
  /** Whether nobody controls it, though it is alive: no stub of a living JVM is like that. */
  public boolean isUntraced() {
    return tracer == 0 && !process.isZombie();
  }
}
