/** Processes and threads: creation, execution of programs, delivery of signals, and termination. */
package dev.stubpool.kernel.process;
