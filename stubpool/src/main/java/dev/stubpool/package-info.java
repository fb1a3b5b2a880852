/**
 * Pools of stub processes: {@link dev.stubpool.StubPool} is where to start.
 *
 * <p>Threads: a pool has one tracer thread, which alone touches stopped processes; callers hand it
 * requests and park. There are no locks. What is shared is said where it is declared: the lease of
 * a {@code StubProcess}, the outcome of an {@code AcquireRequest}, the holds of a {@link
 * dev.stubpool.trace.Tracee}.
 */
package dev.stubpool;
