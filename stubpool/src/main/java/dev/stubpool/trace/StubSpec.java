package dev.stubpool.trace;

import dev.stubpool.seccomp.bpf.BpfProgram;

/**
 * What all stubs of a pool have in common.
 *
 * @param filter their seccomp program
 * @param lowest the lowest address of their address space
 * @param highest the first address behind it
 * @param exitSignal what the kernel sends the JVM when one of them dies: SIGCHLD, or SIGKILL to
 *     take it along
 */
public record StubSpec(BpfProgram filter, long lowest, long highest, int exitSignal) {}
