/**
 * Pools of stub processes: {@link dev.stubpool.StubPool} is where to start.
 *
 * <p>Threads: a pool has one tracer thread, which alone touches stopped processes; callers hand it
 * requests and park. There are no locks. What is shared, with its memory order, is said where it is
 * declared:
 *
 * <ul>
 *   <li>a stub's state: a word of the {@link dev.stubpool.lease.LeaseTable}, moved by CAS
 *   <li>a waiter's outcome: {@code AcquireRequest}, one CAS
 *   <li>who watches for a death: {@code StubProcess.watchDeath}, store then look, against look then
 *       store
 *   <li>a pid: the holds of a {@link dev.stubpool.trace.Tracee}
 *   <li>the tracer's sleep: {@link dev.stubpool.trace.TracerThread}, store, fence, look on both
 *       sides
 * </ul>
 */
package dev.stubpool;
