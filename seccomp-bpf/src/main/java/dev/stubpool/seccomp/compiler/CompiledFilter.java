package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.bpf.BpfProgram;

/**
 * A compiled policy.
 *
 * @param program the filter; the kernel would take it
 * @param report what is worth knowing about it
 */
public record CompiledFilter(BpfProgram program, CompilerReport report) {}
