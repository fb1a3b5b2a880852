package dev.stubpool.forge;

import dev.stubpool.seccomp.bpf.BpfProgram;

/**
 * What all stubs of a pool have in common.
 *
 * @param filter their seccomp program
 * @param lowest the lowest address of their address space
 * @param highest the first address behind it
 * @param exitSignal the signal that the kernel sends the JVM when a stub dies: SIGCHLD, or SIGKILL,
 *     which kills the JVM
 * @param hooks what a test changes
 */
public record StubSpec(
    BpfProgram filter, long lowest, long highest, int exitSignal, TestHooks hooks) {
  /** The same with another exit signal. */
  public StubSpec withExitSignal(int signal) {
    return new StubSpec(filter, lowest, highest, signal, hooks);
  }
}
