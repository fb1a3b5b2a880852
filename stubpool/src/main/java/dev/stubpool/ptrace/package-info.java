/**
 * What a tracing thread does to its tracees by ptrace(2) and waitid(2): it runs them to a known
 * place, runs system calls in them, waits for their stops, and reaps them.
 *
 * <p>A pid names a process until the process is reaped. {@link dev.stubpool.ptrace.Tracee} counts
 * the threads that use the pid at the moment (holds), and the tracer reaps only when there is none.
 * Waits that block have a {@link dev.stubpool.ptrace.Deadline}, which the {@link
 * dev.stubpool.ptrace.Watchdog} enforces.
 */
package dev.stubpool.ptrace;
