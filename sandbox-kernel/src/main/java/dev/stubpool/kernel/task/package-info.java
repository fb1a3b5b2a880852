/** Processes and their threads. */
package dev.stubpool.kernel.task;
