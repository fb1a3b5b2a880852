/**
 * What /proc tells of processes: {@link dev.stubpool.cli.proc.ProcFs} reads, the others are what it
 * read.
 */
package dev.stubpool.cli.proc;
