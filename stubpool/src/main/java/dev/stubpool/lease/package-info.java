/**
 * The lease table: one word for each stub, changed by CAS, in memory that other processes may read.
 *
 * <p>{@link dev.stubpool.lease.LeaseTable} itself makes no system call: it works on whatever memory
 * segment it is given.
 */
package dev.stubpool.lease;
