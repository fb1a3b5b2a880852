package dev.stubpool.trace;

/**
 * How a system call is run in a stub from outside. By ptrace it is the {@link Tracer}'s; a stub
 * that listens on shared memory would have another.
 */
public interface Injector {
  /**
   * Runs a system call in a stub that is waiting for one.
   *
   * @param step what is being done, for messages
   * @return the kernel's result, -errno in [-4095, -1]
   * @throws dev.stubpool.DeniedSystemCallException if the stub's filter denied it; it was not made
   * @throws dev.stubpool.StubDiedException if the stub is dead
   */
  long inject(Tracee stub, int number, long a, long b, long c, long d, long e, long f, String step);
}
