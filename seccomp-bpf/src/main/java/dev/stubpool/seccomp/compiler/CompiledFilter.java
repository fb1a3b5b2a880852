package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.bpf.BpfProgram;

/**
 * A compiled policy.
 *
 * @param program the filter, which the verifier accepts
 * @param report its properties
 */
public record CompiledFilter(BpfProgram program, CompilerReport report) {}
