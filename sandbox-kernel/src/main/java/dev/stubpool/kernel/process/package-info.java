/** Processes and their threads: how they are made, execute programs, get signals and end. */
package dev.stubpool.kernel.process;
