/**
 * Seccomp filters: policies, their compilation to classic BPF, and verification and simulation of
 * programs as in the kernel.
 *
 * <p>A {@link dev.stubpool.seccomp.SeccompPolicy} maps system calls to {@link
 * dev.stubpool.seccomp.SeccompAction}s; its {@code evaluate} method defines the meaning of a
 * policy. {@link dev.stubpool.seccomp.compiler.SeccompCompiler} turns it into a {@link
 * dev.stubpool.seccomp.bpf.BpfProgram} by way of {@link dev.stubpool.seccomp.bpf.BpfAssembler}.
 * {@link dev.stubpool.seccomp.bpf.BpfVerifier} checks whether the kernel would accept a program,
 * {@link dev.stubpool.seccomp.bpf.BpfSimulator} runs it, and {@link
 * dev.stubpool.seccomp.bpf.BpfDisassembler} prints it.
 *
 * <p>All value types are immutable and thread-safe; {@link dev.stubpool.seccomp.bpf.BpfAssembler}
 * and the builders are not thread-safe. No method accepts or returns null. Numbers that the kernel
 * declares unsigned ({@code __u32}, {@code __u64}) are held in Java's {@code int} and {@code long}
 * and compared unsigned.
 *
 * <p>Sources: seccomp(2), seccomp_unotify(2), and the kernel's {@code net/core/filter.c} and {@code
 * kernel/seccomp.c}. The verifier and the simulator are checked against a live kernel by the tests.
 */
package dev.stubpool.seccomp;
