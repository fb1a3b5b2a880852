/**
 * Seccomp filters: written as policies, compiled to classic BPF, checked and run as the kernel
 * would.
 *
 * <p>In a nutshell, it works as follows. A {@link dev.stubpool.seccomp.SeccompPolicy} says which
 * system calls are answered with which {@link dev.stubpool.seccomp.SeccompAction}; its {@code
 * evaluate} method is the reference meaning of a policy. {@link
 * dev.stubpool.seccomp.compiler.SeccompCompiler} turns it into a {@link
 * dev.stubpool.seccomp.bpf.BpfProgram} by way of {@link dev.stubpool.seccomp.bpf.BpfAssembler}.
 * {@link dev.stubpool.seccomp.bpf.BpfVerifier} says whether the kernel would take a program, {@link
 * dev.stubpool.seccomp.bpf.BpfSimulator} what it would answer, and {@link
 * dev.stubpool.seccomp.bpf.BpfDisassembler} shows it to people.
 *
 * <p>Every value type is immutable and may be shared between threads; {@link
 * dev.stubpool.seccomp.bpf.BpfAssembler} and the builders belong to one thread. No method accepts
 * or returns null. Numbers that the kernel declares unsigned ({@code __u32}, {@code __u64}) are
 * held in Java's {@code int} and {@code long} and compared unsigned.
 *
 * <p>Sources: seccomp(2), seccomp_unotify(2), and the kernel's {@code net/core/filter.c} and {@code
 * kernel/seccomp.c}. The verifier and the simulator are checked against a live kernel by the tests.
 */
package dev.stubpool.seccomp;
