/**
 * Pools of stub processes for sandbox kernels.
 *
 * <p>A <em>stub</em> is a process forked from the JVM that shares only its descriptor table. It has
 * no memory except a page of machine code, no privileges, and a seccomp filter that allows a dozen
 * system calls, all of them only from that page. A {@link dev.stubpool.StubPool} makes stubs and
 * leases them. The holder of a lease, a {@link dev.stubpool.Stub}, runs system calls in the
 * process, maps and copies its memory ({@link dev.stubpool.StubMemory}), and runs guest code in it
 * ({@link dev.stubpool.Guest}), whose system calls and faults come back as {@link
 * dev.stubpool.Trap} values.
 *
 * <p>This package contains only the API. Failures are unchecked exceptions, subclasses of {@link
 * dev.stubpool.StubPoolException}, except that using a handle after its lease throws {@link
 * dev.stubpool.LeaseClosedException}.
 */
package dev.stubpool;
