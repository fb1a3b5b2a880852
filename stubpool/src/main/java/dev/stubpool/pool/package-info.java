/**
 * The pool: which caller gets which stub, when stubs are made and discarded, and the operations of
 * a lease.
 *
 * <ul>
 *   <li>{@link dev.stubpool.pool.Pool} opens and closes the parts of a pool.
 *   <li>{@link dev.stubpool.pool.Lease} is the handle that a caller gets.
 *   <li>{@link dev.stubpool.pool.Supply} is the policy only; a {@link
 *       dev.stubpool.forge.StubFactory} performs the operations. {@link dev.stubpool.pool.Eviction}
 *       is its part that discards idle stubs, {@link dev.stubpool.pool.StubCounts} the numbers.
 *   <li>{@link dev.stubpool.pool.ForgeTracer} is the work of the forge tracer thread: the turns of
 *       the supply, the requests of callers, and the search for stubs that died.
 * </ul>
 *
 * <p>Acquiring and closing a lease take no lock. A lease is one word that is changed by CAS ({@link
 * dev.stubpool.lease.LeaseTable}); idle stubs are in a lock-free stack; all other state that
 * changes is accessed only by the forge tracer thread.
 */
package dev.stubpool.pool;
