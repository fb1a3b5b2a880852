/**
 * Threads that own tracees, and how other threads hand them work. ptrace(2) binds a tracee to the
 * thread that seized it, so every operation on a tracee is a task in the queue of a {@link
 * dev.stubpool.thread.TracerThread}. Callers submit a {@link dev.stubpool.thread.Request} and wait
 * for it: they spin first, then park ({@link dev.stubpool.thread.SpinThenPark}).
 */
package dev.stubpool.thread;
