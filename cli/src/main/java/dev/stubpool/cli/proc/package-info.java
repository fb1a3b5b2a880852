/** What /proc tells of processes. */
package dev.stubpool.cli.proc;
